import { describe, expect, test } from 'vitest'
import { reasons } from '../../src/xmpp/reason.ts'
import { brokenPartners, probeOf, whyOf } from '../support/broken-partners.ts'
import { runCommand } from '../support/command-host.ts'
import { startGateway } from '../support/running-gateway.ts'
import { juliet, message } from './numbered.ts'

const cases = Object.entries(brokenPartners).map(([domain, partner]) => ({ domain, ...partner }))

describe('a partner that we cannot talk to', () => {
  test.each(cases)(
    '$domain is explained as $code, everywhere alike',
    async ({ domain, code, policy, setUp }) => {
      const gateway = await startGateway({
        partners: [{ primaryDomain: domain, ...policy }],
        inside: 'component',
      })
      await setUp(gateway, domain)
      const { title, remedy, fault } = reasons[code as keyof typeof reasons]

      const inside = await gateway.inside.component(domain)
      inside.send(message('one', juliet, `romeo@${domain}`))
      await inside.find('bounce', ({ attributes }) => attributes['id'] === 'one')
      const isOf = ({ remote, direction }: { remote: string | null; direction: string }) =>
        remote === domain && direction === 'out'
      expect(await gateway.event('stream.refused', isOf)).toMatchObject({ code })
      expect(gateway.metric(`gatehouse_stream_failures_total{direction="out",code="${code}"}`)).toBe(1)

      const why = await whyOf(gateway, domain)
      expect(why).toMatchObject({
        partner: domain,
        lastSuccess: null,
        failures: [{ code, direction: 'out', count: 1 }],
        lastFailure: { direction: 'out', purpose: 'stanzas', outcome: { is: 'failed', code } },
        meaning: { code, title, remedy, fault },
        isMended: false,
      })
      const told = await runCommand(['why', domain, '--config', gateway.folder.file])
      for (const word of [code, title, remedy]) expect(told.out).toContain(word)

      const { status, lines, err } = await probeOf(gateway, domain)
      expect([status, err]).toEqual([1, ''])
      expect(lines.at(-1)).toMatchObject({
        outcome: { purpose: 'probe', outcome: { is: 'failed', code } },
        meaning: { code, remedy },
      })
      // The same steps by the same code: those of the probe, and those of the attempt before it.
      const stepsOf = (steps: readonly { readonly step: string }[]) =>
        steps.map(({ step }) => step).toSorted()
      expect(stepsOf(lines.flatMap(line => ('step' in line ? [line.step] : [])))).toEqual(
        stepsOf(why.lastFailure?.steps ?? []),
      )
      // A probe is none of the real streams.
      expect(gateway.metric(`gatehouse_stream_failures_total{direction="out",code="${code}"}`)).toBe(1)
      expect((await whyOf(gateway, domain)).failures).toMatchObject([{ code, count: 2 }])
    },
  )
})

describe('a certificate that fails', () => {
  test('is shown with everything that is wrong with it', async () => {
    const domain = 'expired.example'
    const { policy } = brokenPartners[domain]!
    const gateway = await startGateway({ partners: [{ primaryDomain: domain, ...policy }] })
    await brokenPartners['wrong-name.example']!.setUp(gateway, domain)
    const { lines } = await probeOf(gateway, domain)
    const step = lines.flatMap(line =>
      'step' in line && line.step.step === 'certificate' ? [line.step] : [],
    )
    expect(step).toMatchObject([
      {
        shown: { names: ['elsewhere.example'], fingerprint: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) },
        faults: [{ code: 'certificate-wrong-name' }],
      },
    ])
  })
})
