import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { describeWith } from './tools.ts'

const unit = new URL('../../config/deploy/gatehouse.service', import.meta.url).pathname

/** A root directory with the units of this machine, ours, and something under the names of the programs that ours starts. */
function rootWith(text: string): string {
  const root = mkdtempSync(join(tmpdir(), 'gatehouse-systemd-'))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  cpSync('/lib/systemd/system', join(root, 'lib/systemd/system'), { recursive: true, verbatimSymlinks: true })
  const files = { 'usr/local/bin/gatehouse': '#!/bin/sh\n', 'bin/kill': '#!/bin/sh\n' }
  for (const [name, held] of Object.entries({ ...files, 'etc/systemd/system/gatehouse.service': text })) {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), held, { mode: name.startsWith('etc') ? 0o644 : 0o755 })
  }
  return root
}

function analyze(text: string, ...argv: readonly string[]) {
  const options = {
    encoding: 'utf8',
    env: { ...process.env, SYSTEMD_COLORS: '0', SYSTEMD_EMOJI: '0' },
  } as const
  const root = rootWith(text)
  const { status, stdout, stderr } = spawnSync(
    'systemd-analyze',
    [...argv, '--no-pager', `--root=${root}`, 'gatehouse.service'],
    options,
  )
  return { status, said: stdout + stderr }
}

describeWith(['systemd-analyze'], 'the systemd unit', () => {
  const text = readFileSync(unit, 'utf8')

  test('has no fault', () => {
    expect(analyze(text, 'verify', '--recursive-errors=one')).toEqual({ status: 0, said: '' })
    const wrong = text.replace('ProtectClock=', 'ProtectClocks=')
    expect(analyze(wrong, 'verify', '--recursive-errors=one').said).toContain("Unknown key 'ProtectClocks'")
  })

  test('is exposed no more than a network service must be', () => {
    const security = ['security', '--offline=true', '--threshold=14'] // of 100
    expect(analyze(text, ...security)).toMatchObject({ status: 0 })
    expect(analyze(text.replace('ProtectSystem=strict', ''), ...security).status).not.toBe(0)
  })
})
