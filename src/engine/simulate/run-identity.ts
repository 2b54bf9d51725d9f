/** What the result says about its inputs; hashing is the caller's, the engine has no crypto. */
export interface RunIdentity {
  readonly dataHash?: string
  readonly specHash?: string
  readonly engineVersion?: string
  readonly seed?: number
}
