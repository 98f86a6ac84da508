// The one place that knows which Node may run the project and where to find it.
'use strict'
var childProcess = require('child_process')
var path = require('path')
var starter = require('./starter.cjs')

var minimum = [22, 18]
var packages = [
  'node-' + (process.platform === 'win32' ? 'win' : process.platform) + '-' + process.arch,
  'node-bin-' + process.platform + '-' + process.arch,
]

// How long a child has to say that a signal reached it, and how long that counts.
var SAID_MS = 250
var RECENT_MS = 1000

function isNewEnough(version) {
  var parts = version.split('.').map(Number)
  return parts[0] > minimum[0] || (parts[0] === minimum[0] && parts[1] >= minimum[1])
}

/** The path of a new enough Node: this one, or the one that came with the package, or null. */
function find() {
  if (isNewEnough(process.versions.node)) return process.execPath
  for (var i = 0; i < packages.length; i++) {
    try {
      var folder = path.dirname(require.resolve(packages[i] + '/package.json'))
      return path.join(folder, 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
    } catch (notInstalled) {
      // The next package name is tried.
    }
  }
  return null
}

/** Runs Node with these arguments in place of this process: same streams, signals and exit code. */
function run(args) {
  var node = find()
  if (node === null) {
    console.error(
      'sluice needs Node ' + minimum.join('.') + ' or newer. This is Node ' + process.versions.node +
        ', and no newer one came with the package for ' + process.platform + '-' + process.arch +
        '. Install one from https://nodejs.org and try again.'
    )
    process.exit(1)
  }
  process.env[starter.STARTER] = String(process.pid)
  var child = childProcess.spawn(node, args, { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] })
  starter.signals.forEach(function (signal) { passOn(signal, child) })
  starter.watch(function () { child.kill('SIGTERM') })
  child.on('exit', function (code, signal) {
    if (signal === null) process.exit(code)
    starter.signals.forEach(function (name) { process.removeAllListeners(name) })
    process.kill(process.pid, signal)
  })
}

/**
 * A terminal sends Ctrl-C to the whole group, and others send a signal to this process alone. The child
 * says what has reached it (`saySignals`); only what has not is passed on.
 */
function passOn(signal, child) {
  var had = []
  var passed = []
  process.on(signal, function () {
    setTimeout(function () {
      if (takeRecent(had)) return
      passed.push(Date.now())
      child.kill(signal)
    }, SAID_MS)
  })
  child.on('message', function (said) {
    if (said === signal && !takeRecent(passed)) had.push(Date.now())
  })
}

function takeRecent(times) {
  while (times.length > 0) {
    if (Date.now() - times.shift() < RECENT_MS) return true
  }
  return false
}

/**
 * In the child: says what has reached it, and ends as by SIGTERM when the first process is gone, or the
 * package manager that runs this one.
 */
function saySignals() {
  starter.watch(function () {
    if (!process.emit('SIGTERM', 'SIGTERM')) process.exit(143)
  })
}

module.exports = { find: find, run: run, saySignals: saySignals }
