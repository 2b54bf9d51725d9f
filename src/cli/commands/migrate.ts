/** `sweepmill migrate`: brings the schema up to date, then prints the tables and columns it found. */
import { Command } from 'commander'
import type { Invocation, Invocations } from '../context.js'

export function migrateCommand(invocations: Invocations): Command {
  return invocations.command(new Command('migrate').description('bring the database schema up to date and verify it'), runMigrate)
}

async function runMigrate(invocation: Invocation): Promise<void> {
  const { output } = invocation
  await invocation.withWorkbench(invocation.config(), async (workbench) => {
    const { applied, tables } = await workbench.migrate()
    output.document({ applied, tables })
    output.text(applied.length === 0 ? 'The schema is up to date.' : `Applied: ${applied.join(', ')}`)
    for (const table of tables) output.text(`  ${output.bold(table.name)}: ${table.columns.join(', ')}`)
  })
}
