import { describe, expect, test } from 'vitest'
import type { Probe } from '../src/admin/journal.ts'
import { boundedProbe } from '../src/probe.ts'
import { good, record } from './support/attempts.ts'
import { domain } from './support/inbound-peer.ts'

const fabrikam = { local: undefined, remote: domain('fabrikam.com') }
const corp = { local: undefined, remote: domain('corp.fabrikam.com') }

/** Probes that end when told to, and pauses that are over when told to. */
function scene() {
  const probes: PromiseWithResolvers<void>[] = []
  const pauses: PromiseWithResolvers<void>[] = []
  const pausedMs: number[] = []
  const made: Probe = async () => {
    const probe = Promise.withResolvers<void>()
    probes.push(probe)
    await probe.promise
    return record(1, 'fabrikam.com', good)
  }
  const primaryOf = (name: string) => (name.endsWith('fabrikam.com') ? fabrikam.remote : undefined)
  const pause = (ms: number) => {
    const paused = Promise.withResolvers<void>()
    pauses.push(paused)
    pausedMs.push(ms)
    return paused.promise
  }
  const bounded = boundedProbe(made, primaryOf, pause)
  const probe = (pair = fabrikam, signal = new AbortController().signal) => bounded(pair, () => {}, signal)
  return { probe, probes, pauses, pausedMs }
}

/** All that does not wait for the scene has happened. */
const settled = () => new Promise(resolve => setImmediate(resolve))

describe('a probe', () => {
  test('right after another one of the partner, under whichever domain, waits for 2 s to pass, and is made', async () => {
    const { probe, probes, pauses, pausedMs } = scene()
    const first = probe()
    await settled()
    probes[0]!.resolve()
    await first
    const second = probe(corp)
    await settled()
    expect([probes.length, pausedMs]).toEqual([1, [2000]])
    pauses[0]!.resolve()
    await settled()
    expect(probes).toHaveLength(2)
    probes[1]!.resolve()
    await expect(second).resolves.toMatchObject({ outcome: good })
  })

  test('while another one waits or is made is refused, and told how long that takes', async () => {
    const { probe, probes } = scene()
    const first = probe()
    await settled()
    await expect(probe(corp)).rejects.toThrow(
      /^somebody else probes this partner now: .*120 s at the latest$/,
    )
    probes[0]!.resolve()
    await first
    void probe()
    await expect(probe()).rejects.toThrow('somebody else')
    expect(probes).toHaveLength(1)
  })

  test('that nobody waits for any more is not made', async () => {
    const { probe, probes, pauses } = scene()
    const first = probe()
    await settled()
    probes[0]!.resolve()
    await first
    const abort = new AbortController()
    const second = probe(fabrikam, abort.signal)
    abort.abort(new Error('nobody waits'))
    pauses[0]!.resolve()
    await expect(second).rejects.toThrow('nobody waits')
    expect(probes).toHaveLength(1)
  })

  test('is one of four at most', async () => {
    const { probe } = scene()
    for (const name of ['a.example', 'b.example', 'c.example', 'd.example'])
      void probe({ local: undefined, remote: domain(name) })
    await expect(probe()).rejects.toThrow(/^4 probes at a time are enough: /)
  })
})
