/**
 * Part of the build: writes the inside of a realm as one script, whose value is `boot` of realm.ts. Beside the compiled files,
 * so that whatever carries those carries it.
 */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { REALM_SCRIPT } from './realm-script.js'

const { outputFiles } = await build({
  entryPoints: [fileURLToPath(new URL('realm.js', import.meta.url))], bundle: true, write: false, format: 'cjs', platform: 'neutral', target: 'node20',
  mainFields: ['module', 'main'], logLevel: 'warning',
})
const [output] = outputFiles
if (output === undefined) throw new Error('esbuild wrote nothing.')
writeFileSync(REALM_SCRIPT, `(function () {\nconst module = { exports: {} }\n${output.text}\nreturn module.exports.boot\n})()\n`)
