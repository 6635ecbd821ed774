import type { Audit, Change } from '../../src/admin/audit.ts'

/** An audit log that keeps what it is told, for a test to read. */
export type MemoryAudit = Audit & { readonly changes: (Change & { readonly by: string })[] }

/** Makes an audit log that remembers. */
export function memoryAudit(): MemoryAudit {
  const changes: MemoryAudit['changes'] = []
  const note: Audit['note'] = ({ name: by }, change) => {
    changes.push({ by, ...change })
    return () => undefined
  }
  return {
    changes,
    note,
    record: async (by, change, make) => {
      note(by, change)
      return await make()
    },
  }
}
