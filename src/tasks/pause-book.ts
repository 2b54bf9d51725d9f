/** Port: priorities that an operator paused. Nobody picks them, whatever runs goes on, and new tasks are accepted. */
import type { TaskPriority } from './task.js'

/** Every call returns what is paused after it, highest first. Repeating one changes nothing. */
export interface PauseBook {
  paused(): Promise<readonly TaskPriority[]>
  pause(priorities: readonly TaskPriority[]): Promise<readonly TaskPriority[]>
  resume(priorities: readonly TaskPriority[]): Promise<readonly TaskPriority[]>
}
