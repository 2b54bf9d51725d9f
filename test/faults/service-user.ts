/** A process that uses embedded services, says so, and holds them. Arguments: state folder, grace in milliseconds, `leave` (ends at once) or `hold`. */
import { openServices } from '../../src/services/services.js'

const [stateDir = '', graceMs = '300', then = 'hold'] = process.argv.slice(2)
const services = await openServices({ stateDir, graceMs: Number(graceMs), log: (line) => { process.stdout.write(`${line}\n`) } })
process.stdout.write('ready\n')
if (then === 'leave') await services.stop()
else setInterval(() => undefined, 1000)
