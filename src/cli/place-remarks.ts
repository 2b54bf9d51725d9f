/** What a user may want to know of the place of the embedded services' data, where STATE_DIR does not name it. */
import type { StatePlaces } from '../runtime/state-dir.js'

export function placeRemarks({ path, why, ofUser }: StatePlaces): readonly string[] {
  if (why === 'user') return []
  if (why === 'homeless') return [`this user has no home folder, so the data lie in the working folder, ${path}: set STATE_DIR to keep them in one place`]
  const instead = ofUser === null ? 'set STATE_DIR to keep them in one place' : `without that folder they would be in ${ofUser}, for every working folder alike`
  return [`${path} is where earlier versions kept their data, and it is used while it is there; ${instead}`]
}
