import { globSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { Container } from './container.ts'
import { type Image, makeImage } from './image.ts'
import { describeWith } from './tools.ts'

const checkout = new URL('../..', import.meta.url).pathname.replace(/\/$/, '')

describeWith(['root', 'namespaces', 'Debian packages'], 'the image that the Dockerfile describes', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-image-'))
  let image: Image
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  beforeAll(() => {
    image = makeImage(checkout, folder)
  })

  test('holds the package, what it needs to run, and nothing of the checkout besides', () => {
    const own = join(image.root, 'opt/gatehouse')
    expect(readdirSync(own).toSorted()).toEqual(['dist', 'node_modules', 'package.json'])
    const packages = readdirSync(join(own, 'node_modules'))
    expect(packages).toEqual(expect.arrayContaining(Object.keys(manifest.dependencies).filter(isPlain)))
    expect(packages.filter(name => Object.keys(manifest.devDependencies).includes(name))).toEqual([])
    expect(globSync('gatehouse/**/*.*', { cwd: image.root }).toSorted()).toEqual([
      'gatehouse/config/gatehouse.schema.json',
      'gatehouse/config/gatehouse.yaml',
      'gatehouse/config/partners.schema.json',
      'gatehouse/config/partners.yaml',
    ])
  })

  test('holds no tools to build with, nor to fetch things', () => {
    const tools = ['npm', 'npx', 'corepack', 'tsc', 'gcc', 'cc', 'make', 'python3', 'curl', 'wget', 'git']
    const found = tools.flatMap(name => globSync(`{usr/,}{local/,}{s,}bin/${name}`, { cwd: image.root }))
    expect(found).toEqual([])
  })

  test('runs the daemon as nobody of note on a read-only root, is healthy, and stops in good order', async () => {
    const container = new Container(image, mkdtempSync(join(folder, 'run-')))
    try {
      const ready = (line: string) => line.includes('"event":"ready"') || undefined
      await container.process.first('ready', ready, 20_000)
      expect(container.status('Uid')).toBe('5269\t5269\t5269\t5269')
      expect(container.status('CapEff')).toMatch(/^0+$/)
      expect(container.status('NoNewPrivs')).toBe('1')
      expect(await container.exec(...image.healthcheck)).toMatchObject({
        status: 0,
        said: expect.stringMatching(/^alive, ready: /),
      })
      const check = await container.exec('node', '/opt/gatehouse/dist/main.js', 'check')
      expect(check).toMatchObject({ status: 0, said: expect.stringMatching(/: 0 errors, \d+ warnings?$/m) })
      const mayWrite = async (path: string) => (await container.exec('touch', path)).said
      expect(await mayWrite('/gatehouse/x')).toContain('Read-only file system')
      expect(await mayWrite('/opt/gatehouse/dist/main.js')).toContain('Permission denied')
      expect(await mayWrite('/gatehouse/config/gatehouse.yaml')).toContain('Permission denied')
      expect(await mayWrite('/gatehouse/data/x')).toBe('')
      const listening = container.process.lines.flatMap(
        line => /"listening".*"port":(\d+)/.exec(line)?.[1] ?? [],
      )
      expect([...listening.map(Number), 5280]).toEqual(image.exposed)
      expect(
        (await container.exec('node', '-p', "require('tls').getCACertificates('system').length > 100")).said,
      ).toBe('true\n')
    } finally {
      expect(image.stopSignal).toBe('SIGTERM')
      expect(await container.process.stop(15_000)).toBe(0)
    }
  })

  test('is unhealthy where no daemon answers', async () => {
    const still: Image = { ...image, entrypoint: ['sleep', '60'], command: [] }
    const container = new Container(still, mkdtempSync(join(folder, 'still-')))
    try {
      await expect.poll(() => container.status('Name'), { timeout: 10_000 }).toBe('sleep')
      const { status, said } = await container.exec(...image.healthcheck)
      expect({ status, said }).toEqual({ status: 1, said: expect.stringContaining('no answer from') })
    } finally {
      await container.process.stop(1000)
    }
  })
})

function isPlain(name: string): boolean {
  return !name.startsWith('@')
}
