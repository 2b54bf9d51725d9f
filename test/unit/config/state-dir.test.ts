/** One place for a user: the platform's folder for data, unless an earlier version left one where the command runs. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { loadConfig } from '../../../src/runtime/config.js'
import { statePlaces } from '../../../src/runtime/state-dir.js'
import type { StateHost } from '../../../src/runtime/state-dir.js'
import { findPlace, servicesFolder } from '../../../src/services/place.js'
import { placeRemarks } from '../../../src/cli/place-remarks.js'

const host: StateHost = { cwd: '/project', home: '/home/quant', platform: 'linux', folderKind: () => 'missing' }
type Env = Record<string, string>

describe('without STATE_DIR', () => {
  const places: readonly [string, Env, Partial<StateHost>, string][] = [
    ['Linux', {}, {}, '/home/quant/.local/share/sweepmill'],
    ['XDG_DATA_HOME', { XDG_DATA_HOME: '/data' }, {}, '/data/sweepmill'],
    ['a relative XDG_DATA_HOME, which is none by its own rule', { XDG_DATA_HOME: 'data' }, {}, '/home/quant/.local/share/sweepmill'],
    ['an empty XDG_DATA_HOME', { XDG_DATA_HOME: '' }, {}, '/home/quant/.local/share/sweepmill'],
    ['HOME before the list of users', { HOME: '/elsewhere' }, {}, '/elsewhere/.local/share/sweepmill'],
    ['an empty HOME', { HOME: '' }, {}, '/home/quant/.local/share/sweepmill'],
    ['a relative HOME', { HOME: 'here' }, {}, '/home/quant/.local/share/sweepmill'],
    ['macOS', { XDG_DATA_HOME: '/data' }, { platform: 'darwin' }, '/home/quant/Library/Application Support/sweepmill'],
    ['Windows', { LOCALAPPDATA: '/c/local', XDG_DATA_HOME: '/data' }, { platform: 'win32' }, '/c/local/sweepmill'],
    ['Windows without LOCALAPPDATA', {}, { platform: 'win32' }, '/home/quant/AppData/Local/sweepmill'],
  ]
  test.each(places)('%s', (_what, env, change, path) => {
    const found = statePlaces(env, { ...host, ...change })
    expect(found).toEqual({ path, why: 'user', ofUser: path })
    expect(placeRemarks(found)).toEqual([])
    // Whatever the working folder.
    expect(statePlaces(env, { ...host, ...change, cwd: '/other' }).path).toBe(path)
  })

  test('a folder of an earlier version is still used, and named with the one that would take its place', () => {
    const found = statePlaces({}, { ...host, folderKind: (path) => (path === '/project/.sweepmill' ? 'folder' : 'missing') })
    expect(found).toEqual({ path: '/project/.sweepmill', why: 'earlier', ofUser: '/home/quant/.local/share/sweepmill' })
    expect(placeRemarks(found)[0]).toMatch(/^\/project\/\.sweepmill is where earlier versions .* \/home\/quant\/\.local\/share\/sweepmill, for every/)
    expect(statePlaces({}, { ...host, folderKind: () => 'other' }).why).toBe('user')
    // Left by somebody else in a folder that many write to.
    expect(statePlaces({}, { ...host, folderKind: () => 'folder', isOwn: () => false }).why).toBe('user')
  })

  test('a user without a home has the working folder, and is told', () => {
    const found = statePlaces({}, { ...host, home: undefined })
    expect(found).toEqual({ path: '/project/.sweepmill', why: 'homeless', ofUser: null })
    expect(placeRemarks(found)[0]).toContain('set STATE_DIR')
  })

  test('STATE_DIR goes before all of it', () => {
    const config = loadConfig({ STATE_DIR: 'mine', XDG_DATA_HOME: '/data' }, { ...host, hostname: 'h', cores: 1, memoryBytes: 2 ** 30 })
    expect([config.stateDir, config.sources.STATE_DIR]).toEqual(['/project/mine', 'environment'])
    expect(loadConfig({ XDG_DATA_HOME: '/data' }, { ...host, hostname: 'h', cores: 1, memoryBytes: 2 ** 30 }).stateDir).toBe('/data/sweepmill')
  })
})

describe('the folder itself', () => {
  let folder: string
  beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'sweepmill-place-')) })
  afterEach(() => { rmSync(folder, { recursive: true }) })

  test('where the servers would be is said without making anything, and is where they are made', () => {
    const wanted = join(folder, 'data', 'sweepmill')
    const said = servicesFolder(wanted)
    expect(() => findPlaceTwice(wanted)).not.toThrow()
    expect(servicesFolder(wanted)).toBe(said)
    expect(findPlace(wanted).folder).toBe(said)
    if (!said.startsWith(folder)) rmSync(said, { recursive: true })
  })

  test('one that cannot be made is refused with what to set', () => {
    writeFileSync(join(folder, 'file'), '')
    for (const stateDir of [join(folder, 'file'), join(folder, 'file', 'below'), '/proc/sweepmill', '/dev/null/sweepmill']) {
      expect(() => servicesFolder(stateDir)).not.toThrow()
      expect(() => findPlace(stateDir)).toThrow(expect.objectContaining({
        code: 'CONFIG_INVALID', message: expect.stringMatching(/STATE_DIR, .*cannot be created: .*Set STATE_DIR .* or REDIS_URL and DATABASE_URL/) as string,
      }))
    }
  })
})

function findPlaceTwice(stateDir: string): void {
  expect(findPlace(stateDir)).toEqual(findPlace(stateDir))
}
