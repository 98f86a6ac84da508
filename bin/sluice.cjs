#!/usr/bin/env node
// Runs Sluice in this process if this Node is new enough (22.18: built-in SQLite, types stripped at
// load), and else in the one that came with the package. Old-style JavaScript on purpose: any Node
// that npm runs on must parse this.
'use strict'
var fs = require('fs')
var path = require('path')
var url = require('url')
var node = require('./node.cjs')

var source = path.join(__dirname, '..', 'src', 'cli', 'main.ts')
// Node strips types only outside node_modules, so an installed package runs the compiled output.
var inPackage = __dirname.split(path.sep).indexOf('node_modules') >= 0
var entry =
  !inPackage && fs.existsSync(source) ? source : path.join(__dirname, '..', 'dist', 'cli', 'main.js')
if (node.find() === process.execPath) {
  node.saySignals()
  require('./import.cjs')(url.pathToFileURL(entry).href).catch(function (error) {
    console.error(error)
    process.exit(1)
  })
} else {
  node.run([__filename].concat(process.argv.slice(2)))
}
