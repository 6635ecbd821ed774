import { Argument, type Command } from 'commander'
import { treeOf } from './command-tree.ts'
import type { Host } from './host.ts'

/** The command `completion`, and a hidden one, which its scripts call. */
export function describeCompletionCommands(program: Command, configFile: () => string, host: Host): void {
  program
    .command('completion')
    .description('prints the completion of commands and options for a shell')
    .addArgument(new Argument('<shell>', 'which shell').choices(['bash', 'zsh', 'fish']))
    .action(async (shell: 'bash' | 'zsh' | 'fish') => {
      const scripts = {
        bash: async () => (await import('./completion-bash.ts')).bashCompletion,
        zsh: async () => (await import('./completion-zsh.ts')).zshCompletion,
        fish: async () => (await import('./completion-fish.ts')).fishCompletion,
      }
      host.out((await scripts[shell]())(treeOf(program)))
    })
  program
    .command('complete-domains', { hidden: true })
    .addArgument(new Argument('<whose>').choices(['partner', 'local']))
    .action(async (whose: 'partner' | 'local') => {
      const { namedDomains } = await import('../config/domain-names.ts')
      host.out(
        namedDomains(configFile())
          [whose].map(domain => `${domain}\n`)
          .join(''),
      )
    })
}
