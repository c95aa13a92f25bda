import { createRequire as __WEBPACK_EXTERNAL_createRequire } from "module";
/******/ var __webpack_modules__ = ({

/***/ 155:
/***/ ((__unused_webpack_module, __webpack_exports__, __nccwpck_require__) => {


// EXPORTS
__nccwpck_require__.d(__webpack_exports__, {
  U: () => (/* binding */ systemCommands)
});

;// CONCATENATED MODULE: external "node:child_process"
const external_node_child_process_namespaceObject = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:child_process");
;// CONCATENATED MODULE: external "node:readline"
const external_node_readline_namespaceObject = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:readline");
// EXTERNAL MODULE: ./src/errors.ts
var errors = __nccwpck_require__(916);
;// CONCATENATED MODULE: ./src/adapters/commands.ts



// GitHub's runner kills 7.5 s after its interrupt (actions/runner ProcessInvoker.cs@v2.336.0); a child gets less.
const millisecondsFromInterruptToKill = 5000;
/**
 * Commands of this machine. `cancelled` stops long work: docker and git get an interrupt, so that a build is cancelled in
 * the builder too, and are killed with all their children when they do not end within `millisecondsToKill`.
 *
 * Short queries go through @actions/exec; long work does not, because @actions/exec offers no way to end a child.
 */
function systemCommands(cancelled, millisecondsToKill = millisecondsFromInterruptToKill) {
    return {
        async capture(argv, options = {}) {
            const [program = '', ...rest] = argv;
            try {
                const { getExecOutput } = await __nccwpck_require__.e(/* import() */ 260).then(__nccwpck_require__.bind(__nccwpck_require__, 260));
                // It takes a command line: quoted, a path with a space stays one word.
                return await getExecOutput(JSON.stringify(program), rest, {
                    silent: true,
                    ignoreReturnCode: true,
                    ...(options.workingDirectory === undefined ? {} : { cwd: options.workingDirectory }),
                    ...(options.environment === undefined ? {} : { env: { ...options.environment } })
                });
            }
            catch (error) {
                return { exitCode: 127, stdout: '', stderr: error instanceof Error ? error.message : String(error) };
            }
        },
        async stream(argv, options) {
            const [program = '', ...rest] = argv;
            const isCancelled = () => cancelled.aborted;
            if (isCancelled())
                throw new errors/* CancelledError */.cc(`cancelled before ${program} ran`);
            // A process group of its own, so that an interrupt from a terminal reaches it once: through us.
            const child = (0,external_node_child_process_namespaceObject.spawn)(program, rest, {
                stdio: ['ignore', 'pipe', 'pipe'],
                detached: true,
                ...(options.workingDirectory === undefined ? {} : { cwd: options.workingDirectory }),
                ...(options.environment === undefined ? {} : { env: { ...options.environment } })
            });
            let kill;
            const stop = () => {
                signalGroup(child.pid, 'SIGINT');
                kill = setTimeout(() => {
                    signalGroup(child.pid, 'SIGKILL');
                }, millisecondsToKill);
            };
            cancelled.addEventListener('abort', stop, { once: true });
            try {
                const [exitCode] = await Promise.all([
                    ended(child),
                    forEachLine(child.stdout, 'stdout', options.onLine),
                    forEachLine(child.stderr, 'stderr', options.onLine)
                ]);
                if (isCancelled())
                    throw new errors/* CancelledError */.cc(`cancelled while ${program} ran`);
                return exitCode;
            }
            finally {
                cancelled.removeEventListener('abort', stop);
                clearTimeout(kill);
                // The child may be gone before its children.
                if (isCancelled())
                    signalGroup(child.pid, 'SIGKILL');
            }
        }
    };
}
async function ended(child) {
    return await new Promise((resolve, reject) => {
        child.once('error', reject);
        child.once('close', (code, signal) => {
            resolve(code ?? (signal === null ? 1 : 128));
        });
    });
}
async function forEachLine(readable, stream, onLine) {
    for await (const line of (0,external_node_readline_namespaceObject.createInterface)({ input: readable, crlfDelay: Infinity }))
        onLine(line, stream);
}
function signalGroup(pid, signal) {
    if (pid === undefined)
        return;
    try {
        process.kill(-pid, signal);
    }
    catch {
        // It has ended meanwhile.
    }
}


/***/ }),

/***/ 682:
/***/ ((__unused_webpack_module, __webpack_exports__, __nccwpck_require__) => {


// EXPORTS
__nccwpck_require__.d(__webpack_exports__, {
  JA: () => (/* binding */ stateOfStep)
});

// UNUSED EXPORTS: greeting, inputsOfStep, reportFailure, stateName

// EXTERNAL MODULE: external "node:fs"
var external_node_fs_ = __nccwpck_require__(24);
// EXTERNAL MODULE: external "node:path"
var external_node_path_ = __nccwpck_require__(760);
// EXTERNAL MODULE: ./src/errors.ts
var errors = __nccwpck_require__(916);
;// CONCATENATED MODULE: ./src/adapters/environment.ts
/** A variable's value, or undefined when it is unset or empty. */
function variable(environment, name) {
    const value = environment[name];
    return value === '' ? undefined : value;
}
/**
 * Whether the runner belongs to a GitHub Enterprise Server, by the rule of GitHub's own libraries (@actions/cache 6.3.0,
 * src/internal/config.ts, and @actions/artifact 6.2.1, src/internal/shared/config.ts; isGhes).
 */
function onEnterpriseServer(environment) {
    const host = new URL(variable(environment, 'GITHUB_SERVER_URL') ?? 'https://github.com').hostname;
    return host !== 'github.com' && !host.endsWith('.ghe.com') && !host.endsWith('.localhost');
}

;// CONCATENATED MODULE: ./src/adapters/entry.ts





/** One document under one name: what the main phase leaves for the post phase. */
const stateName = 'state';
/** The inputs of a step by name, as the runner passes them (`INPUT_GIT-MIRRORS`). */
function inputsOfStep(environment) {
    const inputs = {};
    for (const [name, value] of Object.entries(environment)) {
        if (name.startsWith('INPUT_'))
            inputs[name.slice('INPUT_'.length).toLowerCase()] = value ?? '';
    }
    return inputs;
}
/** What the main phase saved last, or undefined when it saved nothing (as getState of @actions/core 3.0.1). */
function stateOfStep(environment) {
    return variable(environment, `STATE_${stateName}`);
}
/** The first line of a log: what runs and what it is about to do. `directory` is that of a bundle, `dist/<entry>`. */
function greeting({ mode, repository, ref }, directory) {
    const task = mode === 'plan' ? 'plan a build of' : 'build';
    return `Build Moby ${actionVersion(directory)}, Node.js ${process.versions.node}: ${task} ${redactUrl(repository)} ${ref}`;
}
function actionVersion(directory) {
    const { version } = JSON.parse(readFileSync(join(directory, '..', '..', 'package.json'), 'utf8'));
    return version;
}
/** Ends the process as failed: says why, with a stack only for what is no message to the user. */
function reportFailure(error, log) {
    const aborted = isCancellation(error);
    if (aborted)
        log.info('Cancelled.');
    else
        log.error(describeError(error));
    if (error instanceof Error && !aborted && !(error instanceof ConfigurationError))
        log.debug(error.stack ?? '');
    // 130 is what a shell makes of an interrupt.
    process.exitCode = aborted ? 130 : 1;
}


/***/ }),

/***/ 441:
/***/ ((__unused_webpack_module, __webpack_exports__, __nccwpck_require__) => {


// EXPORTS
__nccwpck_require__.d(__webpack_exports__, {
  H: () => (/* binding */ systemFiles)
});

;// CONCATENATED MODULE: external "node:crypto"
const external_node_crypto_namespaceObject = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:crypto");
// EXTERNAL MODULE: external "node:fs"
var external_node_fs_ = __nccwpck_require__(24);
;// CONCATENATED MODULE: external "node:fs/promises"
const promises_namespaceObject = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:fs/promises");
// EXTERNAL MODULE: external "node:path"
var external_node_path_ = __nccwpck_require__(760);
;// CONCATENATED MODULE: ./src/adapters/files.ts




/** The files of this machine; temporary directories are made below `temporaryRoot`. */
function systemFiles(temporaryRoot) {
    return {
        async readText(path) {
            return await unlessMissing((0,promises_namespaceObject.readFile)(path, 'utf8'));
        },
        readBytes(path) {
            return (0,external_node_fs_.createReadStream)(path);
        },
        async write(path, content, mode = 0o644) {
            await (0,promises_namespaceObject.mkdir)((0,external_node_path_.dirname)(path), { recursive: true });
            const partial = `${path}.${(0,external_node_crypto_namespaceObject.randomUUID)()}.partial`;
            try {
                await (0,promises_namespaceObject.writeFile)(partial, content, { mode });
                await (0,promises_namespaceObject.chmod)(partial, mode);
                await (0,promises_namespaceObject.rename)(partial, path);
            }
            catch (error) {
                await (0,promises_namespaceObject.rm)(partial, { force: true });
                throw error;
            }
        },
        async kind(path) {
            const status = await unlessMissing((0,promises_namespaceObject.lstat)(path));
            if (status === undefined)
                return undefined;
            if (status.isFile())
                return 'file';
            if (status.isDirectory())
                return 'directory';
            return status.isSymbolicLink() ? 'link' : 'other';
        },
        async list(path) {
            return ((await unlessMissing((0,promises_namespaceObject.readdir)(path))) ?? []).sort();
        },
        async status(path) {
            const { size, mode } = await (0,promises_namespaceObject.stat)(path);
            return { size, mode: mode & 0o7777 };
        },
        async resolveLinks(path) {
            return await (0,promises_namespaceObject.realpath)(path);
        },
        async copyFile(from, to) {
            await (0,promises_namespaceObject.mkdir)((0,external_node_path_.dirname)(to), { recursive: true });
            await (0,promises_namespaceObject.copyFile)(from, to);
            await (0,promises_namespaceObject.chmod)(to, (await (0,promises_namespaceObject.stat)(from)).mode & 0o7777);
        },
        async makeDirectory(path) {
            await (0,promises_namespaceObject.mkdir)(path, { recursive: true });
        },
        async link(target, path) {
            await (0,promises_namespaceObject.symlink)(target, path);
        },
        async makeTemporaryDirectory(prefix) {
            await (0,promises_namespaceObject.mkdir)(temporaryRoot, { recursive: true });
            return await (0,promises_namespaceObject.mkdtemp)((0,external_node_path_.join)(temporaryRoot, prefix));
        },
        async replace(from, to) {
            await (0,promises_namespaceObject.mkdir)((0,external_node_path_.dirname)(to), { recursive: true });
            await (0,promises_namespaceObject.rm)(to, { recursive: true, force: true });
            await (0,promises_namespaceObject.rename)(from, to);
        },
        async remove(path) {
            await (0,promises_namespaceObject.rm)(path, { recursive: true, force: true });
        }
    };
}
async function unlessMissing(promise) {
    try {
        return await promise;
    }
    catch (error) {
        const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
        if (code === 'ENOENT' || code === 'ENOTDIR')
            return undefined;
        throw error;
    }
}


/***/ }),

/***/ 506:
/***/ ((__unused_webpack_module, __webpack_exports__, __nccwpck_require__) => {


// EXPORTS
__nccwpck_require__.d(__webpack_exports__, {
  Q: () => (/* binding */ githubLog)
});

;// CONCATENATED MODULE: external "node:os"
const external_node_os_namespaceObject = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:os");
// EXTERNAL MODULE: ./src/adapters/secrets.ts
var secrets = __nccwpck_require__(753);
;// CONCATENATED MODULE: ./src/adapters/github-log.ts


/**
 * The log of a GitHub Actions step. The runner applies the masks. The commands are written here as @actions/core 3.0.1
 * writes them (src/command.ts), because loading that takes longer than everything else before the first line.
 */
function githubLog() {
    return {
        debug(message) {
            command('debug', message);
        },
        info(message) {
            print(withoutCommands(message));
        },
        notice(message) {
            command('notice', message);
        },
        warning(message) {
            command('warning', message);
        },
        error(message) {
            command('error', message);
        },
        startGroup(name) {
            command('group', name);
        },
        endGroup() {
            command('endgroup', '');
        },
        mask(secret) {
            for (const form of (0,secrets/* secretForms */.e)(secret))
                command('add-mask', form);
        }
    };
}
/**
 * The output of a build is only text: the runner must not obey what looks like one of its commands, neither `::name::`
 * at the start of a line nor `##[name]` anywhere (actions/runner v2.336.0, src/Runner.Common/ActionCommand.cs).
 */
function withoutCommands(text) {
    return text.replace(/^(?=\s*::)/gm, '|').replaceAll('##[', '# #[');
}
function command(name, message) {
    print(`::${name}::${message.replace(/%/g, '%25').replace(/\r/g, '%0D').replace(/\n/g, '%0A')}`);
}
function print(text) {
    process.stdout.write(`${text}${external_node_os_namespaceObject.EOL}`);
}


/***/ }),

/***/ 753:
/***/ ((__unused_webpack_module, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   e: () => (/* binding */ secretForms)
/* harmony export */ });
/* unused harmony export percentDecoded */
/**
 * Every text that gives `secret` away: itself, its percent-decoded form (a password in a URL), and each of their lines,
 * because logs are written line by line. Longest first; none is blank.
 */
function secretForms(secret) {
    const whole = [secret, percentDecoded(secret)];
    const forms = new Set([...whole, ...whole.flatMap(text => text.split(/\r?\n/).map(line => line.trim()))]);
    return [...forms].filter(form => form.trim() !== '').sort((one, other) => other.length - one.length);
}
/** The text with its `%xx` escapes decoded; as it is when one of them is malformed. */
function percentDecoded(text) {
    try {
        return decodeURIComponent(text);
    }
    catch {
        return text;
    }
}


/***/ }),

/***/ 565:
/***/ ((__unused_webpack_module, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   d: () => (/* binding */ terminalLog)
/* harmony export */ });
/* harmony import */ var _secrets_js__WEBPACK_IMPORTED_MODULE_0__ = __nccwpck_require__(753);

/**
 * A plain-text log for people outside GitHub. `write` gets whole lines, newline included, in which every secret is
 * replaced by `***`.
 */
function terminalLog(write, options = {}) {
    const secrets = new Set();
    function print(message) {
        const longestFirst = [...secrets].sort((one, other) => other.length - one.length);
        write(`${longestFirst.reduce((text, secret) => text.replaceAll(secret, '***'), message)}\n`);
    }
    return {
        debug(message) {
            if (options.debug === true)
                print(`Debug: ${message}`);
        },
        info(message) {
            print(message);
        },
        notice(message) {
            print(`Notice: ${message}`);
        },
        warning(message) {
            print(`Warning: ${message}`);
        },
        error(message) {
            print(`Error: ${message}`);
        },
        startGroup(name) {
            print(`\n== ${name} ==`);
        },
        endGroup() {
            // The next group or the end shows where this one ends.
        },
        mask(secret) {
            for (const form of (0,_secrets_js__WEBPACK_IMPORTED_MODULE_0__/* .secretForms */ .e)(secret))
                secrets.add(form);
        }
    };
}


/***/ }),

/***/ 507:
/***/ ((__unused_webpack_module, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   O9: () => (/* binding */ dockerEnvironment)
/* harmony export */ });
/* unused harmony exports inheritedVariables, clientRoutes */

/**
 * The variables that docker, buildx and their children get from the surroundings; nothing else does, because `bake` fills
 * the variables of a bake file from the environment by name (`VERSION`, `PLATFORM`, `DESTDIR`, `SYSTEMD` …, and v23 to
 * v24.0.5 of moby even `GITHUB_REF`): docs.docker.com/build/bake/variables.
 */
const inheritedVariables = [
    'PATH',
    'HOME',
    'USER',
    'TMPDIR',
    'XDG_RUNTIME_DIR',
    'XDG_CONFIG_HOME',
    'SSH_AUTH_SOCK',
    'SSL_CERT_FILE',
    'SSL_CERT_DIR',
    'DOCKER_HOST',
    'DOCKER_CONTEXT',
    'DOCKER_CONFIG',
    'DOCKER_CERT_PATH',
    'DOCKER_TLS',
    'DOCKER_TLS_VERIFY',
    'DOCKER_API_VERSION',
    'BUILDX_BUILDER',
    'BUILDX_CONFIG',
    'KUBECONFIG',
    // What credential helpers of `docker login` ask for.
    'DOCKER_AUTH_CONFIG',
    'DBUS_SESSION_BUS_ADDRESS',
    'GNUPGHOME',
    'GOOGLE_APPLICATION_CREDENTIALS',
    'AWS_ACCESS_KEY_ID',
    'AWS_SECRET_ACCESS_KEY',
    'AWS_SESSION_TOKEN',
    'AWS_PROFILE',
    'AWS_REGION',
    'AWS_CONFIG_FILE',
    'AWS_SHARED_CREDENTIALS_FILE',
    'AWS_ROLE_ARN',
    'AWS_WEB_IDENTITY_TOKEN_FILE'
];
/**
 * What the docker client needs to get out by itself: buildx fetches the tokens of registries, and not the builder
 * (docker/buildx, session/auth). Only with the drivers whose builder it reaches by way of a docker daemon, because a remote
 * one would be dialled through the proxy, too. `certificateFile` holds all authorities to trust.
 */
function clientRoutes(driver, environment, { http, https, none }, certificateFile) {
    if (driver !== 'docker' && driver !== 'docker-container')
        return {};
    const [, address, name] = /^tcp:\/\/(?:\[([^\]]+)\]|([^/:]+))/.exec(environment.DOCKER_HOST ?? '') ?? [];
    const excepted = [none, address ?? name].filter(part => part !== undefined && part !== '').join(',');
    return {
        ...proxyEnvironment(proxySettings(http, https, excepted === '' ? undefined : excepted)),
        ...(certificateFile === undefined ? {} : { SSL_CERT_FILE: certificateFile })
    };
}
/** The part of `environment` that docker may see; `more` are variables that it needs for once. */
function dockerEnvironment(environment, more = []) {
    const kept = {};
    for (const name of [...inheritedVariables, ...more]) {
        const value = environment[name];
        if (value !== undefined)
            kept[name] = value;
    }
    return kept;
}


/***/ }),

/***/ 916:
/***/ ((__unused_webpack_module, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   Uc: () => (/* binding */ describeError),
/* harmony export */   cc: () => (/* binding */ CancelledError)
/* harmony export */ });
/* unused harmony exports ConfigurationError, StepError, isCancellation, noRoom, problemsError */
/** The user has to change something: an input, the machine, the ref. Shown as it is, without a stack. */
class ConfigurationError extends (/* unused pure expression or super */ null && (Error)) {
    name = 'ConfigurationError';
}
/** A step failed although everything asked for made sense: a download, a build, an upload. */
class StepError extends Error {
    name = 'StepError';
    step;
    constructor(step, message, options) {
        super(`${step}: ${message}`, options);
        this.step = step;
    }
}
/** The run was cancelled from outside. */
class CancelledError extends Error {
    name = 'CancelledError';
}
/** Whether something was thrown because the run is cancelled: by us, or by what waits for a signal of Node's. */
function isCancellation(error) {
    const name = typeof error === 'object' && error !== null && 'name' in error ? error.name : undefined;
    return name === 'CancelledError' || name === 'AbortError';
}
/** What tar, zstd, Node.js and BuildKit say when a disk is full. */
const noRoom = /no space left on device|disk quota exceeded/i;
/** One error that lists every problem found. */
function problemsError(title, problems) {
    return new ConfigurationError([`${title}:`, ...problems.map(problem => `  - ${problem}`)].join('\n'));
}
/** Any thrown value as text, with the chain of causes. */
function describeError(error) {
    if (!(error instanceof Error))
        return String(error);
    const text = error.message === '' ? error.name : error.message;
    return error.cause === undefined ? text : `${text}\n  because: ${describeError(error.cause)}`;
}


/***/ }),

/***/ 661:
/***/ ((module, __unused_webpack___webpack_exports__, __nccwpck_require__) => {

__nccwpck_require__.a(module, async (__webpack_handle_async_dependencies__, __webpack_async_result__) => { try {
/* harmony import */ var _adapters_commands_js__WEBPACK_IMPORTED_MODULE_0__ = __nccwpck_require__(155);
/* harmony import */ var _adapters_entry_js__WEBPACK_IMPORTED_MODULE_1__ = __nccwpck_require__(682);
/* harmony import */ var _adapters_files_js__WEBPACK_IMPORTED_MODULE_2__ = __nccwpck_require__(441);
/* harmony import */ var _adapters_github_log_js__WEBPACK_IMPORTED_MODULE_3__ = __nccwpck_require__(506);
/* harmony import */ var _adapters_terminal_log_js__WEBPACK_IMPORTED_MODULE_6__ = __nccwpck_require__(565);
/* harmony import */ var _engine_environment_js__WEBPACK_IMPORTED_MODULE_7__ = __nccwpck_require__(507);
/* harmony import */ var _errors_js__WEBPACK_IMPORTED_MODULE_4__ = __nccwpck_require__(916);
/* harmony import */ var _state_js__WEBPACK_IMPORTED_MODULE_5__ = __nccwpck_require__(462);








const log = process.env.GITHUB_ACTIONS === 'true' ? (0,_adapters_github_log_js__WEBPACK_IMPORTED_MODULE_3__/* .githubLog */ .Q)() : (0,_adapters_terminal_log_js__WEBPACK_IMPORTED_MODULE_6__/* .terminalLog */ .d)(text => process.stdout.write(text));
try {
    const commands = (0,_adapters_commands_js__WEBPACK_IMPORTED_MODULE_0__/* .systemCommands */ .U)(new AbortController().signal);
    const files = (0,_adapters_files_js__WEBPACK_IMPORTED_MODULE_2__/* .systemFiles */ .H)(process.env.RUNNER_TEMP ?? '/tmp');
    await (0,_state_js__WEBPACK_IMPORTED_MODULE_5__/* .cleanUp */ .nY)((0,_state_js__WEBPACK_IMPORTED_MODULE_5__/* .decodeState */ .UJ)((0,_adapters_entry_js__WEBPACK_IMPORTED_MODULE_1__/* .stateOfStep */ .JA)(process.env)), { commands, files, log }, (0,_engine_environment_js__WEBPACK_IMPORTED_MODULE_7__/* .dockerEnvironment */ .O9)(process.env));
}
catch (error) {
    log.warning((0,_errors_js__WEBPACK_IMPORTED_MODULE_4__/* .describeError */ .Uc)(error));
}

__webpack_async_result__();
} catch(e) { __webpack_async_result__(e); } }, 1);

/***/ }),

/***/ 462:
/***/ ((__unused_webpack_module, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   UJ: () => (/* binding */ decodeState),
/* harmony export */   nY: () => (/* binding */ cleanUp)
/* harmony export */ });
/* unused harmony export encodeState */
/* harmony import */ var _errors_js__WEBPACK_IMPORTED_MODULE_0__ = __nccwpck_require__(916);

/** The state as the one text that is handed from the main to the post phase. */
function encodeState(state) {
    return JSON.stringify(state);
}
/** Reads `encodeState`'s text; anything else means that there is nothing to remove. */
function decodeState(text) {
    try {
        const parsed = JSON.parse(text ?? '');
        if (typeof parsed !== 'object' || parsed === null)
            return {};
        const { builder, workDirectory } = parsed;
        return {
            ...(typeof builder === 'string' ? { builder } : {}),
            ...(typeof workDirectory === 'string' ? { workDirectory } : {})
        };
    }
    catch {
        return {};
    }
}
/** Removes what the state names. Each part is tried on its own; what cannot be removed is a warning, never an error. */
async function cleanUp({ builder, workDirectory }, { commands, files, log }, environment) {
    if (builder !== undefined) {
        const removed = await commands.capture(['docker', 'buildx', 'rm', '--force', builder], { environment });
        // Already gone is as good: main removes it too, unless it was killed.
        if (removed.exitCode !== 0 && !/no builder|not found/i.test(removed.stderr)) {
            log.warning(`The builder '${builder}' could not be removed: ${removed.stderr.trim()}. Remove it with \`docker buildx rm ${builder}\`.`);
        }
    }
    if (workDirectory !== undefined) {
        try {
            await files.remove(workDirectory);
        }
        catch (error) {
            log.warning(`${workDirectory} could not be removed: ${(0,_errors_js__WEBPACK_IMPORTED_MODULE_0__/* .describeError */ .Uc)(error)}`);
        }
    }
}


/***/ }),

/***/ 613:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("assert");

/***/ }),

/***/ 317:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("child_process");

/***/ }),

/***/ 434:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("events");

/***/ }),

/***/ 896:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("fs");

/***/ }),

/***/ 24:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:fs");

/***/ }),

/***/ 760:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:path");

/***/ }),

/***/ 857:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("os");

/***/ }),

/***/ 928:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("path");

/***/ }),

/***/ 193:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("string_decoder");

/***/ }),

/***/ 557:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("timers");

/***/ })

/******/ });
/************************************************************************/
/******/ // The module cache
/******/ var __webpack_module_cache__ = {};
/******/ 
/******/ // The require function
/******/ function __nccwpck_require__(moduleId) {
/******/ 	// Check if module is in cache
/******/ 	var cachedModule = __webpack_module_cache__[moduleId];
/******/ 	if (cachedModule !== undefined) {
/******/ 		return cachedModule.exports;
/******/ 	}
/******/ 	// Create a new module (and put it into the cache)
/******/ 	var module = __webpack_module_cache__[moduleId] = {
/******/ 		// no module.id needed
/******/ 		// no module.loaded needed
/******/ 		exports: {}
/******/ 	};
/******/ 
/******/ 	// Execute the module function
/******/ 	var threw = true;
/******/ 	try {
/******/ 		__webpack_modules__[moduleId](module, module.exports, __nccwpck_require__);
/******/ 		threw = false;
/******/ 	} finally {
/******/ 		if(threw) delete __webpack_module_cache__[moduleId];
/******/ 	}
/******/ 
/******/ 	// Return the exports of the module
/******/ 	return module.exports;
/******/ }
/******/ 
/******/ // expose the modules object (__webpack_modules__)
/******/ __nccwpck_require__.m = __webpack_modules__;
/******/ 
/************************************************************************/
/******/ /* webpack/runtime/asset-relocator-loader */
/******/ if (typeof __nccwpck_require__ !== 'undefined') __nccwpck_require__.ab = decodeURIComponent(new URL('.', import.meta.url).pathname).slice(import.meta.url.match(/^file:\/\/\/\w:/) ? 1 : 0, -1) + "/";
/******/ 
/******/ /* webpack/runtime/async module */
/******/ (() => {
/******/ 	var webpackQueues = typeof Symbol === "function" ? Symbol("webpack queues") : "__webpack_queues__";
/******/ 	var webpackExports = typeof Symbol === "function" ? Symbol("webpack exports") : "__webpack_exports__";
/******/ 	var webpackError = typeof Symbol === "function" ? Symbol("webpack error") : "__webpack_error__";
/******/ 	var resolveQueue = (queue) => {
/******/ 		if(queue && queue.d < 1) {
/******/ 			queue.d = 1;
/******/ 			queue.forEach((fn) => (fn.r--));
/******/ 			queue.forEach((fn) => (fn.r-- ? fn.r++ : fn()));
/******/ 		}
/******/ 	}
/******/ 	var wrapDeps = (deps) => (deps.map((dep) => {
/******/ 		if(dep !== null && typeof dep === "object") {
/******/ 			if(dep[webpackQueues]) return dep;
/******/ 			if(dep.then) {
/******/ 				var queue = [];
/******/ 				queue.d = 0;
/******/ 				dep.then((r) => {
/******/ 					obj[webpackExports] = r;
/******/ 					resolveQueue(queue);
/******/ 				}, (e) => {
/******/ 					obj[webpackError] = e;
/******/ 					resolveQueue(queue);
/******/ 				});
/******/ 				var obj = {};
/******/ 				obj[webpackQueues] = (fn) => (fn(queue));
/******/ 				return obj;
/******/ 			}
/******/ 		}
/******/ 		var ret = {};
/******/ 		ret[webpackQueues] = x => {};
/******/ 		ret[webpackExports] = dep;
/******/ 		return ret;
/******/ 	}));
/******/ 	__nccwpck_require__.a = (module, body, hasAwait) => {
/******/ 		var queue;
/******/ 		hasAwait && ((queue = []).d = -1);
/******/ 		var depQueues = new Set();
/******/ 		var exports = module.exports;
/******/ 		var currentDeps;
/******/ 		var outerResolve;
/******/ 		var reject;
/******/ 		var promise = new Promise((resolve, rej) => {
/******/ 			reject = rej;
/******/ 			outerResolve = resolve;
/******/ 		});
/******/ 		promise[webpackExports] = exports;
/******/ 		promise[webpackQueues] = (fn) => (queue && fn(queue), depQueues.forEach(fn), promise["catch"](x => {}));
/******/ 		module.exports = promise;
/******/ 		body((deps) => {
/******/ 			currentDeps = wrapDeps(deps);
/******/ 			var fn;
/******/ 			var getResult = () => (currentDeps.map((d) => {
/******/ 				if(d[webpackError]) throw d[webpackError];
/******/ 				return d[webpackExports];
/******/ 			}))
/******/ 			var promise = new Promise((resolve) => {
/******/ 				fn = () => (resolve(getResult));
/******/ 				fn.r = 0;
/******/ 				var fnQueue = (q) => (q !== queue && !depQueues.has(q) && (depQueues.add(q), q && !q.d && (fn.r++, q.push(fn))));
/******/ 				currentDeps.map((dep) => (dep[webpackQueues](fnQueue)));
/******/ 			});
/******/ 			return fn.r ? promise : getResult();
/******/ 		}, (err) => ((err ? reject(promise[webpackError] = err) : outerResolve(exports)), resolveQueue(queue)));
/******/ 		queue && queue.d < 0 && (queue.d = 0);
/******/ 	};
/******/ })();
/******/ 
/******/ /* webpack/runtime/define property getters */
/******/ (() => {
/******/ 	// define getter functions for harmony exports
/******/ 	__nccwpck_require__.d = (exports, definition) => {
/******/ 		for(var key in definition) {
/******/ 			if(__nccwpck_require__.o(definition, key) && !__nccwpck_require__.o(exports, key)) {
/******/ 				Object.defineProperty(exports, key, { enumerable: true, get: definition[key] });
/******/ 			}
/******/ 		}
/******/ 	};
/******/ })();
/******/ 
/******/ /* webpack/runtime/ensure chunk */
/******/ (() => {
/******/ 	__nccwpck_require__.f = {};
/******/ 	// This file contains only the entry chunk.
/******/ 	// The chunk loading function for additional chunks
/******/ 	__nccwpck_require__.e = (chunkId) => {
/******/ 		return Promise.all(Object.keys(__nccwpck_require__.f).reduce((promises, key) => {
/******/ 			__nccwpck_require__.f[key](chunkId, promises);
/******/ 			return promises;
/******/ 		}, []));
/******/ 	};
/******/ })();
/******/ 
/******/ /* webpack/runtime/get javascript chunk filename */
/******/ (() => {
/******/ 	// This function allow to reference async chunks
/******/ 	__nccwpck_require__.u = (chunkId) => {
/******/ 		// return url for filenames based on template
/******/ 		return "" + chunkId + ".index.js";
/******/ 	};
/******/ })();
/******/ 
/******/ /* webpack/runtime/hasOwnProperty shorthand */
/******/ (() => {
/******/ 	__nccwpck_require__.o = (obj, prop) => (Object.prototype.hasOwnProperty.call(obj, prop))
/******/ })();
/******/ 
/******/ /* webpack/runtime/import chunk loading */
/******/ (() => {
/******/ 	// no baseURI
/******/ 	
/******/ 	// object to store loaded and loading chunks
/******/ 	// undefined = chunk not loaded, null = chunk preloaded/prefetched
/******/ 	// [resolve, Promise] = chunk loading, 0 = chunk loaded
/******/ 	var installedChunks = {
/******/ 		792: 0
/******/ 	};
/******/ 	
/******/ 	var installChunk = (data) => {
/******/ 		var {ids, modules, runtime} = data;
/******/ 		// add "modules" to the modules object,
/******/ 		// then flag all "ids" as loaded and fire callback
/******/ 		var moduleId, chunkId, i = 0;
/******/ 		for(moduleId in modules) {
/******/ 			if(__nccwpck_require__.o(modules, moduleId)) {
/******/ 				__nccwpck_require__.m[moduleId] = modules[moduleId];
/******/ 			}
/******/ 		}
/******/ 		if(runtime) runtime(__nccwpck_require__);
/******/ 		for(;i < ids.length; i++) {
/******/ 			chunkId = ids[i];
/******/ 			if(__nccwpck_require__.o(installedChunks, chunkId) && installedChunks[chunkId]) {
/******/ 				installedChunks[chunkId][0]();
/******/ 			}
/******/ 			installedChunks[ids[i]] = 0;
/******/ 		}
/******/ 	
/******/ 	}
/******/ 	
/******/ 	__nccwpck_require__.f.j = (chunkId, promises) => {
/******/ 			// import() chunk loading for javascript
/******/ 			var installedChunkData = __nccwpck_require__.o(installedChunks, chunkId) ? installedChunks[chunkId] : undefined;
/******/ 			if(installedChunkData !== 0) { // 0 means "already installed".
/******/ 	
/******/ 				// a Promise means "currently loading".
/******/ 				if(installedChunkData) {
/******/ 					promises.push(installedChunkData[1]);
/******/ 				} else {
/******/ 					if(true) { // all chunks have JS
/******/ 						// setup Promise in chunk cache
/******/ 						var promise = import("./" + __nccwpck_require__.u(chunkId)).then(installChunk, (e) => {
/******/ 							if(installedChunks[chunkId] !== 0) installedChunks[chunkId] = undefined;
/******/ 							throw e;
/******/ 						});
/******/ 						var promise = Promise.race([promise, new Promise((resolve) => (installedChunkData = installedChunks[chunkId] = [resolve]))])
/******/ 						promises.push(installedChunkData[1] = promise);
/******/ 					}
/******/ 				}
/******/ 			}
/******/ 	};
/******/ 	
/******/ 	// no prefetching
/******/ 	
/******/ 	// no preloaded
/******/ 	
/******/ 	// no external install chunk
/******/ 	
/******/ 	// no on chunks loaded
/******/ })();
/******/ 
/************************************************************************/
/******/ 
/******/ // startup
/******/ // Load entry module and return exports
/******/ // This entry module used 'module' so it can't be inlined
/******/ var __webpack_exports__ = __nccwpck_require__(661);
/******/ __webpack_exports__ = await __webpack_exports__;
/******/ 
