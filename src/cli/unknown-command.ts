/**
 * Refuses a command that does not exist, whatever flags come with it. The parser alone would answer `foo --help` with the
 * help of the whole program and exit code 0, so that a script with a misspelt command would go on.
 */
import type { Command } from 'commander'
import { SweepmillError } from '../base/errors.js'
import { nearest } from '../engine/specs/nearest.js'

/** Throws USAGE. `args` are those of the whole program; the flags of a group take no value. */
export function refuseUnknownCommand(program: Command, args: readonly string[]): void {
  let group = program
  for (const word of args) {
    if (word === '--') return
    // `help NAME` shows what NAME --help shows.
    if (word.startsWith('-') || word === 'help') continue
    if (group.commands.length === 0) return
    const found = group.commands.find((command) => command.name() === word || command.aliases().includes(word))
    if (found === undefined) throw unknown(group, word)
    group = found
  }
}

function unknown(group: Command, word: string): SweepmillError {
  const known = group.commands.map((command) => command.name())
  const guess = nearest(word, known)
  const path = group.parent === null ? '' : `${group.name()} `
  return new SweepmillError('USAGE',
    `There is no command "${path}${word}".${guess === undefined ? '' : ` Did you mean ${path}${guess}?`} Commands: ${known.join(', ')}.`,
    { details: { command: word, known } })
}
