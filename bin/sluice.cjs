#!/usr/bin/env node
// Finds a Node that can run Sluice (22.18 or newer: built-in SQLite, types stripped at load) and
// re-executes with it. Old-style JavaScript on purpose: any Node that npm runs on must parse this.
'use strict'
var fs = require('fs')
var path = require('path')
var main = require('./node.cjs')

var source = path.join(__dirname, '..', 'src', 'cli', 'main.ts')
// Node strips types only outside node_modules, so an installed package runs the compiled output.
var inPackage = __dirname.split(path.sep).indexOf('node_modules') >= 0
var entry =
  !inPackage && fs.existsSync(source) ? source : path.join(__dirname, '..', 'dist', 'cli', 'main.js')
main.run([entry].concat(process.argv.slice(2)))
