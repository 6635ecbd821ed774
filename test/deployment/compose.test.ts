import { execFileSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { parse } from 'yaml'
import { loadConfig } from '../../src/config/load.ts'
import { createAuthority } from '../support/certificates.ts'
import { describeWith } from './tools.ts'

const deploy = new URL('../../config/deploy/', import.meta.url).pathname
const { services, networks, volumes } = parse(readFileSync(join(deploy, 'compose.yaml'), 'utf8'))
const prosodyText = readFileSync(join(deploy, 'compose/prosody.cfg.lua'), 'utf8')
const env = { GATEHOUSE_COMPONENT_SECRET: 'c'.repeat(64) }

/** The folder `compose`, with the certificates that an operator puts there. */
function prepared(): string {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-compose-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  cpSync(join(deploy, 'compose'), folder, { recursive: true })
  const { chainPem, keyPem } = createAuthority().issueFor('contoso.com')
  writeFileSync(join(folder, 'certs/contoso.com.crt'), chainPem)
  writeFileSync(join(folder, 'certs/contoso.com.key'), keyPem, { mode: 0o600 })
  return folder
}

describe('the compose file', () => {
  test('mounts what is there, networks and volumes that it names', () => {
    for (const service of Object.values<{ volumes: string[]; networks: string[] }>(services)) {
      for (const mount of service.volumes) {
        const [source = ''] = mount.split(':')
        if (source.startsWith('.')) expect(existsSync(join(deploy, source)), source).toBe(true)
        else expect(volumes).toHaveProperty(source)
      }
      for (const name of service.networks) expect(networks).toHaveProperty(name)
    }
    expect(existsSync(join(deploy, services.gatehouse.build, 'Dockerfile'))).toBe(true)
  })

  test('gives the gateway no powers, no writable root, and the time that it needs to stop', () => {
    expect(services.gatehouse).toMatchObject({
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
      stop_grace_period: '20s',
    })
  })

  test('publishes the ports of the gateway, the admin port to this machine alone, and no port for components', () => {
    expect(services.gatehouse.ports).toEqual(['5269:5269', '5270:5270', '127.0.0.1:5280:5280'])
    expect(services.prosody.ports).toEqual(['5222:5222'])
  })

  test('runs a gateway whose configuration is right, towards the Prosody beside it', () => {
    const config = loadConfig(join(prepared(), 'config/gatehouse.yaml'), env)
    // Of the admin port alone: in a container it cannot listen on loopback, and is published on the machine's loopback only.
    expect(config.warnings.map(({ key }) => key)).toEqual(['admin.address'])
    expect(config.internal).toMatchObject({
      host: 'prosody',
      port: 5347,
      secret: env.GATEHOUSE_COMPONENT_SECRET,
    })
    expect(services).toHaveProperty('prosody')
    for (const service of [services.gatehouse, services.prosody])
      expect(service.environment).toHaveProperty('GATEHOUSE_COMPONENT_SECRET')
    const domains = config.partners.all.flatMap(partner => partner.domains)
    expect(Array.from(prosodyText.matchAll(/^Component "(.*)"/gm), ([, name]) => name)).toEqual(domains)
  })
})

describeWith(['root', 'prosodyctl'], 'the Prosody of the compose file', () => {
  test('has a configuration that Prosody finds no fault with', () => {
    const folder = prepared()
    chmodSync(folder, 0o755) // Prosody reads it as a user of its own
    const argv = ['--config', join(folder, 'prosody.cfg.lua'), 'check', 'config']
    const said = execFileSync('prosodyctl', argv, { encoding: 'utf8', env: { ...process.env, ...env } })
    expect(said).toContain('All checks passed')
  })
})
