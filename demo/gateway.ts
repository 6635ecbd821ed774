import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { loadConfig } from '../src/config/load.ts'
import { type Gatehouse, startGatehouse } from '../src/gatehouse.ts'
import type { Log } from '../src/telemetry/log.ts'
import { Metrics } from '../src/telemetry/metrics.ts'

/** What one gateway of the demo is; the rest is as shipped. */
export type GatewayPlan = {
  /** Domain → its certificate and key; undefined = the gateway makes a self-signed one. */
  readonly domains: Readonly<Record<string, { certificatePem: string; keyPem: string } | undefined>>
  readonly internal: Readonly<Record<string, unknown>>
  readonly partners: readonly Readonly<Record<string, unknown>>[]
  readonly nameServer: string
  readonly authorityPem: string
}

/** Writes a configuration as an operator would, starts a gateway of it in this process, and waits until it is ready. */
export async function startGateway(folder: string, plan: GatewayPlan, log: Log): Promise<Gatehouse> {
  const config = join(folder, 'config')
  await mkdir(config, { recursive: true })
  const domains: Record<string, unknown> = {}
  for (const [domain, files] of Object.entries(plan.domains)) {
    domains[domain] = files ? { certificate: `${domain}.crt`, key: `${domain}.key` } : { selfSigned: true }
    if (files === undefined) continue
    await writeFile(join(config, `${domain}.crt`), files.certificatePem)
    await writeFile(join(config, `${domain}.key`), files.keyPem, { mode: 0o600 })
  }
  const configuration = {
    listen: [{ address: '127.0.0.1', port: 0 }],
    domains,
    internal: plan.internal,
    dns: { servers: [plan.nameServer] },
    trust: { system: false, anchors: ['authority.pem'] },
    admin: { port: 0 },
    timeouts: { shutdown: '2s' },
  }
  const file = join(config, 'gatehouse.yaml')
  // JSON is YAML. The secret of the components is in it.
  await writeFile(file, JSON.stringify(configuration), { mode: 0o600 })
  await writeFile(join(config, 'partners.yaml'), JSON.stringify({ partners: plan.partners }))
  await writeFile(join(config, 'authority.pem'), plan.authorityPem)
  const ready = Promise.withResolvers<void>()
  const event: Log['event'] = told => {
    log.event(told)
    if (told.event === 'ready') ready.resolve()
  }
  const gatehouse = await startGatehouse(loadConfig(file, {}), {
    log: { ...log, event },
    metrics: new Metrics(),
  })
  await ready.promise
  return gatehouse
}
