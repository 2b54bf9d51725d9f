/**
 * A gauge whose value is looked up at the moment of a scrape.
 *
 * When the look-up fails or knows nothing, the series is absent from that scrape: an old value would
 * silence the very alert it exists for, and a failed scrape would hide everything else.
 */
import { Gauge } from 'prom-client'
import type { Registry } from 'prom-client'

export function addGauge(registry: Registry, name: string, help: string, look: () => number | null | Promise<number | null>): void {
  registry.registerMetric(new Gauge({
    name, help, registers: [],
    async collect() {
      const value = await settled(look)
      this.remove()
      if (value !== null) this.set(value)
    },
  }))
}

/** One series a key, under one label. */
export function addLabelledGauge(
  registry: Registry, name: string, help: string, label: string, look: () => Promise<Readonly<Record<string, number>>>,
): void {
  registry.registerMetric(new Gauge({
    name, help, labelNames: [label], registers: [],
    async collect() {
      const values = await settled(look)
      this.reset()
      for (const [key, value] of Object.entries(values ?? {})) this.set({ [label]: key }, value)
    },
  }))
}

async function settled<T>(look: () => T | Promise<T>): Promise<T | null> {
  try {
    return await look()
  } catch {
    return null
  }
}
