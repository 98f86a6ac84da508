// What started this process, where that is one that runs it for somebody: an older Node of ours
// (`node.cjs`) or a package manager (`npm start`, `npx`). When it is gone, nobody is left who could end
// this process, so it ends as by SIGTERM. A shell, a service or `sluice mcp` may go as they like.
// Old-style JavaScript, like all of bin.
'use strict'
var childProcess = require('child_process')
var fs = require('fs')
var path = require('path')

var signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
// Names the process that started this one, and is gone before anything else runs here.
var STARTER = 'SLUICE_STARTER'
// How often it is looked whether a package manager is still there. There is nothing that would tell.
var LOOK_MS = 250
// A package manager, by the first words of its command line; npm writes its name over them.
var MANAGER = /^(npm|npx|pnpm|pnpx|yarn|yarnpkg|bun|bunx|npm-cli|npx-cli|pnpm-cli)$/

/** Calls `end` once, when what started this process is gone. Says signals to an older Node of ours. */
function watch(end) {
  var starter = Number(process.env[STARTER])
  delete process.env[STARTER]
  var isOurs = starter === process.ppid && process.connected === true
  var isTold = false
  function gone() {
    if (isTold) return
    isTold = true
    end()
  }
  onSignal(function (name) {
    isTold = true
    if (isOurs && process.connected) process.send(name, function () {})
  })
  if (isOurs) {
    process.on('disconnect', gone)
    // Watching alone keeps no process running.
    process.channel.unref()
  } else {
    watchManager(gone)
  }
}

/** Sees what comes, and changes nothing: whoever listens for no signal ends by the first. */
function onSignal(listener) {
  var emit = process.emit
  process.emit = function (name) {
    if (signals.indexOf(name) >= 0) listener(name)
    return emit.apply(process, arguments)
  }
}

/**
 * As `sh -c script` a manager runs us in a shell, which may outlive it or be gone first; and a script
 * may be run by one of another script.
 */
function watchManager(gone) {
  var chain = managerChain()
  if (chain.length === 0) return
  setInterval(function () {
    if (process.ppid !== chain[0] || !chain.slice(1).every(isChained)) gone()
  }, LOOK_MS).unref()
  function isChained(pid, index) {
    return process.platform === 'linux' ? parentOf(chain[index]) === pid : isAlive(pid)
  }
}

/** The process ids above this one, up to the first of the package managers that run it. */
function managerChain() {
  // All of them say who they are, also to what their scripts start; so the processes are looked at.
  if (process.env.npm_execpath === undefined || process.platform === 'win32') return []
  var above = []
  var known = 0
  for (var pid = process.ppid; pid > 0; ) {
    var found = look(pid)
    if (found === null) break
    above.push(pid)
    if (isManager(found.words)) known = above.length
    // A shell that somebody types into, or that runs a script of its own, is no part of it.
    else if (found.words[1] !== '-c') break
    pid = found.ppid
  }
  return above.slice(0, known)
}

function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

function isManager(words) {
  return words.slice(0, 2).some(function (word) {
    return MANAGER.test(path.basename(word).replace(/\.c?js$/, ''))
  })
}

function parentOf(pid) {
  var found = look(pid)
  return found === null ? null : found.ppid
}

/** The parent of a process and the words that started it; null: there is no such process. */
function look(pid) {
  try {
    if (process.platform !== 'linux') return lookWithPs(pid)
    var stat = fs.readFileSync('/proc/' + pid + '/stat', 'latin1')
    // The name, in parentheses, may hold anything; then come the state and the parent.
    var ppid = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
    return { ppid: ppid, words: fs.readFileSync('/proc/' + pid + '/cmdline', 'utf8').split(/[\0 ]/) }
  } catch (gone) {
    return null
  }
}

function lookWithPs(pid) {
  var said = childProcess.execFileSync('ps', ['-o', 'ppid=,args=', '-p', String(pid)], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  var words = said.trim().split(/\s+/)
  return { ppid: Number(words[0]), words: words.slice(1) }
}

module.exports = { signals: signals, STARTER: STARTER, watch: watch }
