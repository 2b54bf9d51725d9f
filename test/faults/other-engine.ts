/** A copy of what was built that calls itself another version: an engine of its own, for workers of two versions. */
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packageRoot } from '../../src/base/package-root.js'

export interface OtherEngine {
  readonly version: string
  /** The command-line program of the copy. */
  readonly main: string
  remove(): void
}

export function copyEngine(version: string): OtherEngine {
  const root = mkdtempSync(join(tmpdir(), 'sweepmill-engine-'))
  cpSync(join(packageRoot, 'dist'), join(root, 'dist'), { recursive: true })
  cpSync(join(packageRoot, 'src', 'store', 'migrations'), join(root, 'src', 'store', 'migrations'), { recursive: true })
  symlinkSync(join(packageRoot, 'node_modules'), join(root, 'node_modules'))
  const manifest = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as object
  writeFileSync(join(root, 'package.json'), JSON.stringify({ ...manifest, version }))
  return { version, main: join(root, 'dist', 'src', 'cli', 'main.js'), remove: () => { rmSync(root, { recursive: true, force: true }) } }
}
