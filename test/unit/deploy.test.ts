/** The deployment files name only variables and metrics that exist. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { packageRoot } from '../../src/base/package-root.js'
import { VARIABLES } from '../../src/runtime/config.js'
import { Metrics } from '../../src/telemetry/registry.js'

const read = (file: string): string => readFileSync(join(packageRoot, file), 'utf8')

test('compose sets only variables that the program knows', () => {
  const names = [...read('deploy/compose.yaml').matchAll(/^\s{2,}([A-Z][A-Z_]+):/gm), ...read('deploy/compose.yaml').matchAll(/\{ <<: \*environment, ([A-Z_]+):/g)].map(([, name]) => name ?? '')
  expect(names.length).toBeGreaterThan(8)
  expect(names.filter((name) => !(name in VARIABLES) && !name.startsWith('POSTGRES_'))).toEqual([])
})

test('alerts use only metrics that are registered', async () => {
  const metrics = new Metrics('test')
  metrics.queue.observeDepths(() => Promise.resolve({ high: 0, medium: 0, low: 0 }))
  metrics.queue.observeDeadLetters(() => Promise.resolve(0))
  metrics.host.observe(() => ({ eventLoopDelayP99Ms: 0, threads: 1, threadsBusy: 0, usefulCpuShare: 0, dataBytes: 1000, dataBudgetBytes: 2000 }))
  const registered = new Set([...(await metrics.exposition()).matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name))
  const used = [...read('deploy/alerts.yaml').matchAll(/expr: (.*)/g)].flatMap(([, expr]) => (expr ?? '').match(/\b(?:task_queue|saga|sweepmill)_[a-z0-9_]+/g) ?? [])
  expect(used.length).toBeGreaterThan(8)
  expect(used.map((name) => name.replace(/_bucket$/, '')).filter((name) => !registered.has(name))).toEqual([])
})
