/** `sweepmill config`: every variable in effect, where its value came from, secrets hidden. */
import { Command } from 'commander'
import { describeConfig } from '../../runtime/config.js'
import type { Invocation, Invocations } from '../context.js'
import { textTable } from '../text-table.js'

export function configCommand(invocations: Invocations): Command {
  return invocations.command(new Command('config').description('print the configuration in effect, secrets hidden'), async (invocation: Invocation) => {
    const variables = describeConfig(invocation.config())
    invocation.output.document({ config: Object.fromEntries(variables.map(({ name, ...rest }) => [name, rest])) })
    invocation.output.text(textTable(['variable', 'value', 'from', 'meaning'],
      variables.map(({ name, value, source, meaning }) => [name, value, source, meaning])))
  })
}
