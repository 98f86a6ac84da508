// Kept apart because an old Node cannot even parse it; bin/sluice.cjs reads it only with a new one.
'use strict'
module.exports = (url) => import(url)
