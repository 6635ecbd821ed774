import { Soak } from './soak.ts'

const seconds = Number(process.argv[2] ?? 60)
if (!(seconds > 0)) {
  process.stderr.write('usage: node test/soak/main.ts [seconds]\n')
  process.exitCode = 2
} else {
  const { lines, isGood } = await new Soak().run(seconds, text => process.stdout.write(`${text}\n`))
  process.stdout.write(`\n${lines.join('\n')}\n`)
  process.exitCode = isGood ? 0 : 1
}
