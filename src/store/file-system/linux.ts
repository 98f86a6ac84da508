import { closeSync, constants, openSync } from 'node:fs'
import { createRequire } from 'node:module'
import { constants as system } from 'node:os'
import type { RareCalls } from '../file-system.ts'

/**
 * Calls of Linux that Node has no way to, by the optional package `koffi`: undefined on other systems,
 * and where that is not there or cannot be loaded.
 */
export function linuxCalls(): RareCalls | undefined {
  if (process.platform !== 'linux') return undefined
  try {
    const { koffi, libc } = loaded()
    // A lease that somebody breaks in the instant that it lasts is told by a signal that ends a process.
    process.on('SIGIO', () => {})
    return { ...renames(koffi, libc), ...leases(libc), ...attributes(libc) }
  } catch {
    return undefined
  }
}

/** What is used of the package; it declares C functions from their prototypes. */
interface Koffi {
  load(library: string): Library
  errno(): number
}
type Native = (...args: unknown[]) => number
interface Library {
  func(prototype: string): Native
}

function loaded(): { koffi: Koffi; libc: Library } {
  const koffi = createRequire(import.meta.url)('koffi') as Koffi
  return { koffi, libc: koffi.load('libc.so.6') }
}

const HERE = -100
const NO_REPLACE = 1
const EXCHANGE = 2

function renames(koffi: Koffi, libc: Library): Pick<RareCalls, 'exchange' | 'renameNew'> {
  const renameat2 = libc.func('int renameat2(int, const char *, int, const char *, unsigned int)')
  const rename = (path: string, to: string, flags: number): void => {
    if (renameat2(HERE, path, HERE, to, flags) === 0) return
    const code = codes.get(koffi.errno()) ?? 'EIO'
    throw Object.assign(new Error(`${code}: renameat2 '${path}' -> '${to}'`), { code })
  }
  return {
    exchange: (path, other) => rename(path, other, EXCHANGE),
    renameNew: (path, to) => rename(path, to, NO_REPLACE),
  }
}

const codes = new Map(Object.entries(system.errno).map(([code, number]) => [number, code]))

const SET_LEASE = 1024
const WRITE_LEASE = 1
const NO_LEASE = 2

/** The kernel grants a write lease only on a file that nobody else has open. */
function leases(libc: Library): Pick<RareCalls, 'isAlone'> {
  const fcntl = libc.func('int fcntl(int, int, ...)')
  return {
    isAlone(path) {
      const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW)
      try {
        if (fcntl(file, SET_LEASE, 'int', WRITE_LEASE) !== 0) return false
        fcntl(file, SET_LEASE, 'int', NO_LEASE)
        return true
      } finally {
        closeSync(file)
      }
    },
  }
}

function attributes(libc: Library): Pick<RareCalls, 'hasAttributes' | 'copyAttributes'> {
  const list = libc.func('intptr_t listxattr(const char *, uint8_t *, size_t)')
  const get = libc.func('intptr_t getxattr(const char *, const char *, _Out_ uint8_t *, size_t)')
  const set = libc.func('int setxattr(const char *, const char *, uint8_t *, size_t, int)')
  const namesOf = (path: string): string[] => {
    if (list(path, null, 0) <= 0) return []
    const names = Buffer.alloc(ATTRIBUTES_BYTES)
    const length = list(path, names, names.length)
    if (length <= 0) return []
    return names
      .toString('utf8', 0, length)
      .split('\0')
      .filter((name) => name !== '')
  }
  return {
    // Without room for names, the size that they take is told.
    hasAttributes: (path) => list(path, null, 0) !== 0,
    copyAttributes(from, to) {
      for (const name of namesOf(from)) {
        const value = Buffer.alloc(ATTRIBUTES_BYTES)
        const length = get(from, name, value, value.length)
        if (length >= 0) set(to, name, value, length, 0)
      }
    },
  }
}

/** The kernel's own bound of a list of names and of a value. */
const ATTRIBUTES_BYTES = 65_536
