/** `sweepmill config`: every variable in effect, where its value came from, secrets hidden. */
import { Command } from 'commander'
import { describeConfig, statePlacesHere } from '../../runtime/config.js'
import { servicesFolder } from '../../services/place.js'
import type { Invocation, Invocations } from '../context.js'
import { placeRemarks } from '../place-remarks.js'
import { fittedTable, WIDE } from '../text-table.js'

export function configCommand(invocations: Invocations): Command {
  return invocations.command(new Command('config').description('print the configuration in effect, secrets hidden').option('--wide', WIDE), async (invocation: Invocation, { wide = false }: { readonly wide?: boolean }) => {
    const config = invocation.config()
    const variables = describeConfig(config)
    const folder = servicesFolder(config.stateDir)
    invocation.output.document({ config: Object.fromEntries(variables.map(({ name, ...rest }) => [name, rest])), services_folder: folder })
    invocation.output.text(fittedTable(['variable', 'from', 'value', 'meaning'],
      variables.map(({ name, value, source, meaning }) => [name, source, value, meaning]), { drop: ['meaning'], wide }))
    const embedded = [config.redisUrl === null ? 'Redis' : '', config.databaseUrl === null ? 'Postgres' : ''].filter((name) => name !== '')
    if (embedded.length === 0) return
    invocation.output.text(`\nEmbedded ${embedded.join(' and ')}: the data lie in ${folder}.`)
    if (config.sources.STATE_DIR === 'default') for (const line of placeRemarks(statePlacesHere(invocation.context.env))) invocation.output.text(line)
  })
}
