// Sums the JSON reports of vitest named on the command line into one line: N passed, N failed, N skipped.
// Ends with 1 when anything failed, was skipped or did not run at all.
import { existsSync, readFileSync } from 'node:fs'

/** As much of a report as is read here. */
type Report = {
  readonly success: boolean
  readonly testResults: readonly {
    readonly name: string
    readonly status: string
    readonly assertionResults: readonly { readonly status: string }[]
  }[]
}

const sum = { passed: 0, failed: 0, skipped: 0 }
let isGood = true
for (const file of process.argv.slice(2)) {
  const report: Report = existsSync(file)
    ? JSON.parse(readFileSync(file, 'utf8'))
    : { success: false, testResults: [] }
  if (report.testResults.length === 0) console.log(`${file}: these tests did not run`)
  isGood &&= report.success && report.testResults.length > 0
  for (const { name, status, assertionResults } of report.testResults) {
    const count = (of: string) => assertionResults.filter(result => result.status === of).length
    const [passed, failed] = [count('passed'), count('failed')]
    sum.passed += passed
    sum.failed += failed
    sum.skipped += assertionResults.length - passed - failed
    // A file that could not be loaded, or whose set-up failed, has no failed test to show for it.
    if (status === 'failed' && failed === 0) {
      sum.failed += 1
      console.log(`${name} failed outside of its tests`)
    }
  }
}
console.log(`${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped`)
process.exitCode = isGood && sum.failed === 0 && sum.skipped === 0 ? 0 : 1
