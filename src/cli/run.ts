import type { Readiness } from '../admin/health.ts'
import type { ReloadOutcome } from '../admin/reload.ts'
import { loadConfig } from '../config/load.ts'
import { ConfigError, type ConfigProblem, formatProblem } from '../config/problems.ts'
import type { Config } from '../config/schema.ts'
import { type Gatehouse, startGatehouse } from '../gatehouse.ts'
import { createLog, type Log } from '../telemetry/log.ts'
import { countLostLines, openLogOutput } from '../telemetry/log-output.ts'
import { Metrics } from '../telemetry/metrics.ts'
import { addProcessMetrics } from '../telemetry/process-metrics.ts'
import type { Host } from './host.ts'
import { type ServiceManager, serviceManagerOf } from './service-manager.ts'

/** How long an end waits for a reader of the log, in ms. */
const flushMs = 200

/**
 * Runs the daemon until SIGTERM or SIGINT; SIGHUP reloads.
 * @returns the exit status: 0 after a stop in good order, 1 when it could not start
 */
export async function run(configFile: string, host: Host): Promise<number> {
  let config: Config
  try {
    config = loadConfig(configFile, host.env)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    for (const problem of error.problems) host.err(`${formatProblem(problem)}\n`)
    return 1
  }
  const output = openLogOutput(host.stdout, () => config.log.bufferBytes)
  const log = createLog({ ...config.log, destination: output })
  const metrics = new Metrics()
  const endMeasuring = addProcessMetrics(metrics, host.figures)
  countLostLines(metrics, output)
  for (const problem of config.warnings)
    log.warn('configuration warning', { problem: formatProblem(problem) })
  const stopped = Promise.withResolvers<void>()
  const offs = (['SIGTERM', 'SIGINT'] as const).map(signal => host.onSignal(signal, () => stopped.resolve()))
  // Also while it starts: a signal without a listener would end the process.
  const started = Promise.withResolvers<Gatehouse>()
  started.promise.catch(() => {})
  const reloadNow = () => started.promise.then(gatehouse => reloadGateway(gatehouse, configFile, host, log))
  offs.push(host.onSignal('SIGHUP', () => void reloadNow()))
  let manager: ServiceManager | undefined
  try {
    const gatehouse = await startGatehouse(config, { log, metrics }, reloadNow, host.env)
    started.resolve(gatehouse)
    manager = serviceManagerOf(host, () => inWords(gatehouse.readiness()), log)
    manager.ready()
    await stopped.promise
    log.info('stopping')
    manager.stopping()
    await gatehouse.stop()
    log.info('stopped')
    return 0
  } catch (error) {
    log.error('cannot run', { reason: error instanceof Error ? error.message : String(error) })
    host.err(`gatehouse: ${error instanceof Error ? error.message : error}\n`)
    return 1
  } finally {
    manager?.close()
    for (const off of offs) off()
    endMeasuring()
    if (!(await output.flush(flushMs))) host.leave()
  }
}

function inWords({ ready, detail }: Readiness): string {
  return `${ready ? 'ready' : 'not ready'}: ${detail}`
}

/** Reads the configuration anew and uses it; one with faults, or files it cannot use, change nothing (contract §1). */
export async function reloadGateway(
  gatehouse: Gatehouse,
  configFile: string,
  host: Pick<Host, 'env'>,
  log: Log,
): Promise<ReloadOutcome> {
  try {
    const config = loadConfig(configFile, host.env)
    const warnings = await gatehouse.reload(config)
    return { reloaded: true, problems: [], warnings: [...config.warnings.map(formatProblem), ...warnings] }
  } catch (error) {
    const found = error instanceof ConfigError ? error.problems : []
    const of = (wanted: ConfigProblem['severity']) =>
      found.filter(({ severity }) => severity === wanted).map(formatProblem)
    const unforeseen = error instanceof Error ? error.message : String(error)
    const problems = error instanceof ConfigError ? of('error') : [unforeseen]
    log.event({ event: 'reload.failed', problems })
    return { reloaded: false, problems, warnings: of('warning') }
  }
}
