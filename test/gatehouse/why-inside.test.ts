import { describe, expect, test } from 'vitest'
import { runCommand } from '../support/command-host.ts'
import { type RunningGateway, startGateway } from '../support/running-gateway.ts'

const sub = 'sub.fabrikam.com'

/** A gateway that runs, and its partner is given a domain that the server inside was not told of. */
async function withNewDomain(): Promise<RunningGateway> {
  const gateway = await startGateway({ inside: 'component' })
  gateway.inside.unknown.add(sub)
  const { status, out, err } = await command(
    gateway,
    'partner',
    'set',
    'fabrikam.com',
    '--add-additional',
    sub,
  )
  expect([status, err]).toEqual([0, ''])
  expect(out).toContain(`\ntell the server inside of ${sub}, too: docs/inside.md\n`)
  await expect.poll(() => gateway.gatehouse.readiness().detail).toContain('host-unknown')
  return gateway
}

function command(gateway: RunningGateway, ...argv: readonly string[]) {
  return runCommand([...argv, '--config', gateway.folder.file])
}

const refused =
  /the internal server closed the stream: host-unknown; it has to be told of this domain \(docs\/inside\.md\)/

describe('a domain that the server inside was not told of', () => {
  test('is what why tells of it and of its partner, until the server knows it', async () => {
    const gateway = await withNewDomain()
    for (const about of [sub, 'fabrikam.com']) {
      const { status, out } = await command(gateway, 'why', about)
      expect([about, status]).toEqual([about, 1])
      expect(out).toMatch(new RegExp(`^Inside +${sub} down: ${refused.source}$`, 'm'))
    }
    const { out } = await command(gateway, 'why', sub, '--json')
    expect(JSON.parse(out)).toMatchObject({
      isFailing: false,
      inside: [{ domain: sub, reason: expect.stringMatching(refused) }],
    })
    gateway.inside.unknown.delete(sub)
    await gateway.event('internal.connected', ({ domain }) => domain === sub)
    const now = await command(gateway, 'why', sub)
    expect(now.status).toBe(0)
    expect(now.out).not.toMatch(/^Inside/m)
  })

  test('is no matter of the partner’s other domains', async () => {
    const gateway = await withNewDomain()
    await command(gateway, 'partner', 'set', 'fabrikam.com', '--add-additional', 'corp.fabrikam.com')
    await gateway.event('internal.connected', ({ domain }) => domain === 'corp.fabrikam.com')
    expect(await command(gateway, 'why', 'corp.fabrikam.com')).toMatchObject({
      status: 0,
      out: expect.not.stringContaining('Inside'),
    })
  })

  test('is told by the log, by check, and by readiness, which stands', async () => {
    const gateway = await withNewDomain()
    expect(gateway.log.lines).toContainEqual(
      expect.objectContaining({ fields: { domain: sub, reason: expect.stringMatching(refused) } }),
    )
    const { err } = await command(gateway, 'check')
    expect(err).toMatch(
      new RegExp(`: internal\\.connector: warning: component ${sub}: ${refused.source}$`, 'm'),
    )
    expect(gateway.gatehouse.readiness()).toMatchObject({
      ready: true,
      detail: expect.stringMatching(refused),
    })
  })
})
