import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { Machine } from './machine.ts'
import { describeWith } from './tools.ts'

const checkout = new URL('../..', import.meta.url).pathname
const guide = readFileSync(join(checkout, 'docs/install.md'), 'utf8').split('## A systemd service')[1] ?? ''

/** The block of commands in the guide that has this in it. */
function commands(having: string): string {
  const blocks = guide.split(/\n\n/).filter(block => /^ {4}/.test(block))
  return blocks.find(block => block.includes(having)) ?? expect.fail(`docs/install.md has no ${having}`)
}

/** The configuration in the guide. */
const configuration = /```yaml\n(.*?)```/s.exec(guide)?.[1] ?? ''

/** Puts Node and the package onto a machine, as `npm install --global` does. */
function installPackage(root: string): void {
  mkdirSync(join(root, 'usr/local/bin'), { recursive: true })
  copyFileSync(process.execPath, join(root, 'usr/local/bin/node'))
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-packed-'))
  try {
    const npm = (...argv: readonly string[]) => execFileSync('npm', argv, { cwd: checkout, stdio: 'pipe' })
    npm('pack', '--pack-destination', folder)
    const quietly = ['--omit=dev', '--prefer-offline', '--no-audit', '--no-fund']
    const tarball = join(folder, `${manifest.name}-${manifest.version}.tgz`)
    npm('install', '--global', '--prefix', join(root, 'usr/local'), ...quietly, tarball)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

describeWith(['root', 'systemd-nspawn', 'overlays'], 'the service, on a machine with systemd', () => {
  let machine: Machine
  afterAll(() => machine?.stop(), 30_000)

  /** What systemd says of the service. */
  const shown = async (property: string) =>
    (await machine.run(`systemctl show --value --property=${property} gatehouse`)).said.trim()
  /** What the journal has of it, once it has all. */
  const log = async () =>
    (await machine.run('journalctl --sync; journalctl --quiet --output=cat --unit=gatehouse')).said
  const done = async (command: string) => expect(await machine.run(command)).toMatchObject({ status: 0 })

  beforeAll(async () => {
    machine = new Machine()
    installPackage(machine.root)
    await machine.boot()
    await done(`set -e; PATH=/usr/local/bin:$PATH\n${commands('useradd')}`)
    await done(`cat > /etc/gatehouse/gatehouse.yaml <<'END'\n${configuration}END`)
    const certificate = 'gatehouse --config /etc/gatehouse/gatehouse.yaml cert self-signed contoso.com'
    await done(`${certificate} --out /etc/gatehouse/certs && chgrp gatehouse /etc/gatehouse/certs/*.key`)
    await done('chmod 0640 /etc/gatehouse/certs/*.key')
  }, 120_000)

  test('starts by the commands of the guide, and is up once it listens', async () => {
    const [reload, ...others] = [...commands('daemon-reload').split('\n')]
    expect(others.join('\n')).toContain('systemctl reload gatehouse')
    await done(`${reload} && systemctl enable --now gatehouse`)
    expect(await shown('ActiveState')).toBe('active')
    expect(await log()).toMatch(/"event":"listening".*"port":5269/)
    expect(await shown('StatusText')).toMatch(/^ready: listening/) // no partner yet, so nothing is missing inside
    const { said } = await machine.run(`grep -E '^(Uid|CapEff|NoNewPrivs|Seccomp):' /proc/$(${pid})/status`)
    const uid = (await machine.run('id -u gatehouse')).said.trim()
    expect(said.split(/\s+/)).toEqual(expect.arrayContaining([uid, '0000000000000000']))
    expect(said).toMatch(/NoNewPrivs:\t1\nSeccomp:\t2\n/)
    await done('gatehouse check')
  })

  test('reloads, and says so where it cannot', async () => {
    const list = '/etc/gatehouse/partners.yaml'
    await done(
      `printf 'partners:\\n  - { primaryDomain: fabrikam.com, partnerType: federated }\\n' > ${list}`,
    )
    await done('systemctl reload gatehouse')
    expect(await log()).toContain('"event":"reloaded"')
    await done(`printf 'partners: 1\\n' > ${list}`)
    expect(await machine.run('systemctl reload gatehouse')).toMatchObject({ status: 1 })
    expect(await log()).toMatch(/partners\.yaml:1:\d+: partners: /)
    expect(await shown('ActiveState')).toBe('active')
    await done(
      `printf 'partners:\\n  - { primaryDomain: fabrikam.com, partnerType: federated }\\n' > ${list}`,
    )
  })

  test('takes changes by the API, once it may write the list', async () => {
    const add = async (domain: string) => {
      const body = `-H 'Content-Type: application/json' -d '{"partnerType":"federated"}'`
      const asks = `curl -sS -X PUT -H "Authorization: Bearer $(cat /run/token)" ${body}`
      return (await machine.run(`${asks} http://127.0.0.1:5280/partners/${domain}`)).said
    }
    await done('umask 077; gatehouse admin token --role administrator > /run/token')
    expect(await add('northwind.example')).toMatch(/"error":.*partners\.yaml/)
    await done(`set -e\n${commands('ReadWritePaths=')}`)
    expect(await add('northwind.example')).toMatch(/"reload":\{"reloaded":true/)
    expect((await machine.run('gatehouse partner list')).said).toContain('northwind.example')
    await done('gatehouse partner remove northwind.example')
  })

  test('is started anew where its event loop stands still, and not before', async () => {
    // More of them than one message to systemd has room for, and none is a component yet.
    const entry = '  - { primaryDomain: p%s.example, partnerType: federated }\\n'
    await done(`seq 150 | xargs printf '${entry}' >> /etc/gatehouse/partners/partners.yaml`)
    await done(`mkdir -p /run/systemd/system/gatehouse.service.d
cat > /run/systemd/system/gatehouse.service.d/impatient.conf <<'END'
[Service]
WatchdogSec=2s
TimeoutAbortSec=1s
RestartSec=100ms
END
systemctl daemon-reload && systemctl restart gatehouse`)
    const started = await shown('MainPID')
    const beats = async () => await shown('WatchdogTimestampMonotonic')
    const first = await beats()
    await expect.poll(beats, { timeout: 10_000, interval: 500 }).not.toBe(first)
    await expect
      .poll(() => shown('StatusText'), { timeout: 10_000 })
      .toMatch(/^not ready: .*fabrikam\.com.*ECONNREFUSED/)
    expect(await shown('MainPID')).toBe(started)
    await done(`kill -STOP ${started}`)
    await expect.poll(() => shown('NRestarts'), { timeout: 20_000 }).toBe('1')
    await expect.poll(() => shown('ActiveState'), { timeout: 20_000 }).toBe('active')
    expect(await shown('MainPID')).not.toBe(started)
    expect((await machine.run('journalctl --sync; journalctl --quiet --output=cat _PID=1')).said).toContain(
      'Watchdog timeout',
    )
  }, 60_000)

  test('stops in good order', async () => {
    await done('systemctl stop gatehouse')
    expect(await shown('Result')).toBe('success')
    expect(await shown('ExecMainStatus')).toBe('0')
    expect((await log()).split('"msg":"listening"').at(-1)).toContain('"msg":"stopped"')
  })
})

const pid = 'systemctl show --value --property=MainPID gatehouse'
