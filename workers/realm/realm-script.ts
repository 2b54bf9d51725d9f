/** Where the build puts the script of a realm. */
import { fileURLToPath } from 'node:url'

export const REALM_SCRIPT = fileURLToPath(new URL('realm.script.js', import.meta.url))
