/** placeholder */
import { Command } from 'commander'
import type { Invocations } from '../context.js'
export function demoCommand(invocations: Invocations): Command {
  return invocations.command(new Command('demo'), async () => undefined)
}
