/**
 * The workflows of this process by (type, version). A run is only resumed by the version that began it, so the last two
 * versions of a definition stay here side by side while tasks of the older one are under way.
 */
import { SweepmillError } from '../base/errors.js'
import type { RegisteredWorkflow } from './workflow.js'

export class WorkflowCatalog {
  readonly #byType = new Map<string, Map<number, RegisteredWorkflow>>()

  /** A later workflow of the same type and version takes the place of an earlier one. */
  constructor(workflows: readonly RegisteredWorkflow[]) {
    for (const workflow of workflows) {
      const { type, version } = workflow.definition
      const versions = this.#byType.get(type) ?? new Map<number, RegisteredWorkflow>()
      versions.set(version, workflow)
      this.#byType.set(type, versions)
    }
  }

  /** The one that new runs begin with. NOT_RESOLVABLE when this process knows none of the type. */
  newest(type: string): RegisteredWorkflow {
    const versions = this.#byType.get(type)
    const newest = versions?.get(Math.max(...versions.keys()))
    if (newest === undefined) throw new SweepmillError('NOT_RESOLVABLE', `This worker has no workflow for ${type}.`)
    return newest
  }

  /** NOT_RESOLVABLE when this process does not have that version: another worker goes on. */
  version(type: string, version: number): RegisteredWorkflow {
    const found = this.#byType.get(type)?.get(version)
    if (found === undefined) {
      throw new SweepmillError('NOT_RESOLVABLE', `The saga was begun by version ${version} of ${type}; this worker has ${[...this.#byType.get(type)?.keys() ?? []].join(' and ') || 'none'}.`)
    }
    return found
  }
}
