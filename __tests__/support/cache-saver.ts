import {systemCommands} from '../../src/adapters/commands.js'
import {folderCache} from '../../src/adapters/folder-cache.js'
import {githubCache} from '../../src/adapters/github-cache.js'
import {terminalLog} from '../../src/adapters/terminal-log.js'

// A program of its own, so that it can be killed: saves DIRECTORY under KEY in the store that its environment offers, or
// in FOLDER. It starts where tsx is found; a step starts in its workspace.
process.chdir(process.env.GITHUB_WORKSPACE ?? '.')
const [directory = '', key = '', folder = ''] = process.argv.slice(2)
const log = terminalLog(text => process.stderr.write(text))
const limits = {maximumBytes: 2 ** 30, maximumAgeMilliseconds: 2 ** 30}
const commands = systemCommands(new AbortController().signal)
const store = githubCache(process.env, log) ?? folderCache(folder, limits, commands, log)
const entry = await store.save(directory, key)
process.exitCode = entry === undefined ? 1 : 0
