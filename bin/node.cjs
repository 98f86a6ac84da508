// The one place that knows which Node may run the project and where to find it.
'use strict'
var childProcess = require('child_process')
var path = require('path')

var minimum = [22, 18]
var packages = [
  'node-' + (process.platform === 'win32' ? 'win' : process.platform) + '-' + process.arch,
  'node-bin-' + process.platform + '-' + process.arch,
]

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
  var child = childProcess.spawn(node, args, { stdio: 'inherit' })
  var signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
  signals.forEach(function (signal) {
    // A terminal sends Ctrl-C to the whole group; forwarding it a second time does no harm.
    process.on(signal, function () { child.kill(signal) })
  })
  child.on('exit', function (code, signal) {
    if (signal === null) process.exit(code)
    signals.forEach(function (name) { process.removeAllListeners(name) })
    process.kill(process.pid, signal)
  })
}

module.exports = { find: find, run: run }
