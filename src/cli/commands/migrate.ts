/** `sweepmill migrate`: brings the schema up to date, then says what that changed; with --verbose every table and column. */
import { Command } from 'commander'
import type { Invocation, Invocations } from '../context.js'
import type { MigrationView } from '../session.js'

interface MigrateFlags {
  readonly verbose?: boolean
}

export function migrateCommand(invocations: Invocations): Command {
  const command = new Command('migrate').description('bring the database schema up to date and verify it')
    .option('--verbose', 'print every table with its columns')
  return invocations.command(command, runMigrate)
}

async function runMigrate(invocation: Invocation, { verbose }: MigrateFlags): Promise<void> {
  const { output } = invocation
  await invocation.withWorkbench(invocation.config(), async (workbench) => {
    const view = await workbench.migrate()
    output.document(view)
    output.text(changesText(view))
    if (verbose === true) for (const { name, columns } of view.tables) output.text(`  ${output.bold(name)}: ${columns.join(', ')}`)
  })
}

function changesText({ applied, tables, changes = [] }: MigrationView): string {
  if (applied.length === 0) return `The schema is up to date: ${tables.length} tables.`
  const made = changes.filter(({ created }) => created).map(({ name }) => name)
  return [
    `Applied: ${applied.join(', ')}`,
    ...(made.length === 0 ? [] : [`New tables: ${made.join(', ')}`]),
    ...changes.filter(({ created }) => !created).map(({ name, columns }) => `New in ${name}: ${columns.join(', ')}`),
    `The schema is up to date: ${tables.length} tables.`,
  ].join('\n')
}
