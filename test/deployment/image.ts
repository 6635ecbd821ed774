import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, lchownSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { type Instruction, options, parseDockerfile, words } from './dockerfile.ts'

/** A root directory made by the steps of a Dockerfile, and what the image says of itself. */
export type Image = {
  readonly root: string
  readonly user: string
  readonly workdir: string
  readonly entrypoint: readonly string[]
  readonly command: readonly string[]
  readonly healthcheck: readonly string[]
  readonly stopSignal: string
  readonly volumes: readonly string[]
  readonly exposed: readonly number[]
}

type Made = { root: string; workdir: string; says: Map<string, string> }

/**
 * Carries out the steps of a Dockerfile without a container engine, as root, on Debian:
 * - a base `debian:…` is this machine's essential packages; `apt-get install` adds this machine's packages of those names,
 *   with what they depend on, and nothing else;
 * - a base `node:…` is an empty directory with the Node that runs this test; its RUN steps run on this machine, in that directory.
 *
 * So it does not show that the base images exist, nor that their Debian, Node and npm do as these do.
 */
export function makeImage(context: string, folder: string): Image {
  const stages = new Map<string, Made>()
  let last: Made | undefined
  for (const { base, name, steps } of parseDockerfile(readFileSync(join(context, 'Dockerfile'), 'utf8'))) {
    const made: Made = { root: join(folder, name), workdir: '/', says: new Map() }
    mkdirSync(made.root)
    const kind = base.replace(/:.*/, '')
    if (kind === 'debian') copyPackages(essentialPackages(), made.root)
    else if (kind === 'node') copy(process.execPath, join(made.root, 'usr/local/bin/node'))
    else throw new Error(`no such base here: ${base}`)
    for (const step of steps) carryOut(step, kind, made, { context, stages })
    stages.set(name, made)
    last = made
  }
  if (last === undefined) throw new Error('the Dockerfile has no stage')
  const { root, workdir, says } = last
  const said = (word: string): string => says.get(word) ?? ''
  return {
    root,
    workdir,
    user: said('USER'),
    entrypoint: words(said('ENTRYPOINT')),
    command: words(said('CMD')),
    healthcheck: words(said('HEALTHCHECK').replace(/^.*?CMD\s+/, '')),
    stopSignal: said('STOPSIGNAL'),
    volumes: words(said('VOLUME')),
    exposed: said('EXPOSE').split(' ').map(Number),
  }
}

type Around = { readonly context: string; readonly stages: ReadonlyMap<string, Made> }

function carryOut({ word, rest }: Instruction, base: string, made: Made, around: Around): void {
  switch (word) {
    case 'WORKDIR':
      made.workdir = resolve(made.workdir, rest)
      mkdirSync(join(made.root, made.workdir), { recursive: true })
      return
    case 'COPY':
      return copyIn(rest, made, around)
    case 'RUN':
      return base === 'debian' ? install(rest, made.root) : run(rest, made)
    default:
      made.says.set(word, rest)
  }
}

function copyIn(rest: string, made: Made, { context, stages }: Around): void {
  const { given, rest: names } = options(rest)
  const from = given.get('from')
  const source = from === undefined ? undefined : stages.get(from)
  if (from !== undefined && source === undefined) throw new Error(`no such stage: ${from}`)
  const sources = names.split(/\s+/)
  const written = sources.pop() ?? ''
  const target = join(made.root, resolve(made.workdir, written))
  for (const name of sources) {
    if (source === undefined && isIgnored(name, context))
      throw new Error(`${name} is not in the build's context`)
    const path = join(source?.root ?? context, name)
    const isInto = !statSync(path).isDirectory() && (sources.length > 1 || /(^|\/)\.?\/?$/.test(written))
    const place = isInto ? join(target, basename(name)) : target
    copy(path, place, path => source !== undefined || !isIgnored(path, context))
    const owner = given.get('chown')?.split(':').map(Number)
    if (owner !== undefined) own(place, owner[0] ?? 0, owner[1] ?? 0)
  }
}

function copy(path: string, place: string, isWanted: (path: string) => boolean = () => true): void {
  cpSync(path, place, { recursive: true, verbatimSymlinks: true, filter: isWanted })
}

function own(path: string, uid: number, gid: number): void {
  lchownSync(path, uid, gid)
  if (statSync(path).isDirectory()) for (const name of readdirSync(path)) own(join(path, name), uid, gid)
}

/** As far as our .dockerignore goes: names without wildcards, `*` for all of them, the last that fits wins. */
function isIgnored(path: string, context: string): boolean {
  const name = path.startsWith(context) ? path.slice(context.length).replace(/^\//, '') : path
  let ignored = false
  for (const line of readFileSync(join(context, '.dockerignore'), 'utf8').split('\n')) {
    if (line === '' || line.startsWith('#')) continue
    const pattern = line.replace(/^!/, '')
    if (pattern === '*' || name === pattern || name.startsWith(`${pattern}/`)) ignored = !line.startsWith('!')
  }
  return ignored
}

function run(command: string, { root, workdir }: Made): void {
  const env = {
    PATH: `${join(root, 'usr/local/bin')}:/usr/local/bin:/usr/bin:/bin`,
    HOME: process.env['HOME'] ?? '/root',
    npm_config_prefer_offline: 'true',
  }
  execFileSync('sh', ['-c', command], {
    cwd: join(root, workdir),
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
}

const installs =
  /^apt-get update && apt-get install --yes --no-install-recommends ([a-z0-9+. -]+) && rm -rf \/var\/lib\/apt\/lists\/\*$/

function install(command: string, root: string): void {
  const names = installs.exec(command)?.[1]
  if (names === undefined) throw new Error(`not understood: RUN ${command}`)
  copyPackages(names.split(' '), root)
  // What the package makes of its certificates when it is configured.
  if (names.includes('ca-certificates')) copy('/etc/ssl/certs', join(root, 'etc/ssl/certs'))
}

function essentialPackages(): string[] {
  return installed('Package', 'Essential').flatMap(line => /^(.*) yes$/.exec(line)?.[1] ?? [])
}

/** These fields of each package that is installed, with a blank between. */
function installed(...fields: readonly string[]): string[] {
  const format = ['db:Status-Status', ...fields].map(field => `\${${field}}`).join(' ')
  return lines('dpkg-query', '--show', `--showformat=${format}\\n`).flatMap(
    line => /^installed (.*)$/.exec(line)?.[1] ?? [],
  )
}

/** Copies the files of installed packages, and of all that they depend on. */
function copyPackages(names: readonly string[], root: string): void {
  const relations = ['recommends', 'suggests', 'conflicts', 'breaks', 'replaces', 'enhances'].map(
    name => `--no-${name}`,
  )
  const closure = lines('apt-cache', 'depends', '--recurse', '--installed', ...relations, ...names)
  const here = new Set(installed('Package'))
  const packages = new Set(closure.map(name => name.replace(/:.*/, '')).filter(name => here.has(name)))
  const missing = names.filter(name => !packages.has(name))
  if (missing.length > 0) throw new Error(`not installed here: ${missing.join(', ')}`)
  const files = lines('dpkg-query', '--listfiles', ...packages).filter(
    path => path.startsWith('/') && !/^\/usr\/share\/(doc|man|locale|info)\//.test(path) && existsSync(path),
  )
  const archive = execFileSync('tar', ['-C', '/', '--no-recursion', '-cf', '-', '-T', '-'], {
    input: [...new Set(files)].map(path => (path === '/.' ? '.' : path.slice(1))).join('\n'),
    maxBuffer: 1_073_741_824,
  })
  // Where the links /bin, /lib, /lib64 and /sbin of a merged /usr lead; no package has all of these folders.
  for (const name of ['bin', 'lib', 'lib64', 'sbin']) mkdirSync(join(root, 'usr', name), { recursive: true })
  execFileSync('tar', ['-C', root, '-xpf', '-'], { input: archive })
}

function lines(command: string, ...args: readonly string[]): string[] {
  return execFileSync(command, args, { encoding: 'utf8', maxBuffer: 67_108_864 }).split('\n')
}
