import {ConfigurationError} from '../errors.js'

/** The inputs that a preset may give a value. */
export type PresetInput =
  | 'registry-mirrors'
  | 'apt-mirror'
  | 'apk-mirror'
  | 'git-mirrors'
  | 'go-proxy'
  | 'go-sumdb'
  | 'download-mirrors'
  | 'pip-index'
  | 'gem-source'

/** A named set of mirrors: a starting point, which the inputs of a workflow add to or replace. */
export interface MirrorPreset {
  /** One line for people. */
  readonly description: string
  /** Texts as a user would write them; of several lines the first that works is used. */
  readonly inputs: Readonly<Partial<Record<PresetInput, string>>>
  /** For each of these inputs the pages that give its URLs, best the mirror's own. */
  readonly sources: Readonly<Partial<Record<PresetInput, readonly string[]>>>
  /** When (as 2026-11-21) and how a build was last run through these mirrors; null when that was never done. */
  readonly lastChecked: {readonly date: string; readonly how: string} | null
}

// The checksum database under its address for mainland China: cmd/go knows that name, and the key (dbDial in
// golang/go src/cmd/go/internal/modfetch/sumdb.go).
const sumdbInChina = 'sum.golang.google.cn'
const sumdbSource = 'https://github.com/golang/go/blob/master/src/cmd/go/internal/modfetch/sumdb.go'

/** The presets by name. Whoever changes a value reads its source first, and sets `lastChecked` after a build. */
export const mirrorPresets: Readonly<Record<string, MirrorPreset>> = {
  cn: {
    description: 'mainland China: DaoCloud, TUNA, USTC, Aliyun and goproxy.cn together; nothing for git',
    inputs: {
      'registry-mirrors': 'docker.io=m.daocloud.io/docker.io',
      'apt-mirror': lines(
        'https://mirrors.tuna.tsinghua.edu.cn',
        'https://mirrors.ustc.edu.cn',
        'https://mirrors.aliyun.com'
      ),
      'apk-mirror': lines(
        'https://mirrors.tuna.tsinghua.edu.cn',
        'https://mirrors.ustc.edu.cn',
        'https://mirrors.aliyun.com'
      ),
      'go-proxy': 'https://goproxy.cn|https://mirrors.aliyun.com/goproxy/',
      'go-sumdb': sumdbInChina,
      'download-mirrors': lines(
        'https://go.dev/dl/=https://golang.google.cn/dl/',
        'https://golang.org/dl/=https://golang.google.cn/dl/'
      ),
      'pip-index': 'https://mirrors.tuna.tsinghua.edu.cn/pypi/web/simple',
      'gem-source': 'https://mirrors.ustc.edu.cn/rubygems/'
    },
    sources: {
      'registry-mirrors': ['https://github.com/DaoCloud/public-image-mirror'],
      'apt-mirror': [
        'https://mirrors.tuna.tsinghua.edu.cn/help/debian/',
        'https://mirrors.ustc.edu.cn/help/debian.html',
        'https://developer.aliyun.com/mirror/debian'
      ],
      'apk-mirror': [
        'https://mirrors.tuna.tsinghua.edu.cn/help/alpine/',
        'https://mirrors.ustc.edu.cn/help/alpine.html',
        'https://developer.aliyun.com/mirror/alpine'
      ],
      'go-proxy': ['https://github.com/goproxy/goproxy.cn', 'https://developer.aliyun.com/mirror/goproxy'],
      'go-sumdb': [sumdbSource],
      'download-mirrors': ['https://golang.google.cn/dl/'],
      'pip-index': ['https://mirrors.tuna.tsinghua.edu.cn/help/pypi/'],
      'gem-source': ['https://mirrors.ustc.edu.cn/help/rubygems.html']
    },
    lastChecked: null
  },
  tuna: {
    description: 'TUNA, the mirrors of Tsinghua University: packages of Debian, Ubuntu, Alpine, Python and Ruby',
    inputs: {
      'apt-mirror': 'https://mirrors.tuna.tsinghua.edu.cn',
      'apk-mirror': 'https://mirrors.tuna.tsinghua.edu.cn',
      'pip-index': 'https://mirrors.tuna.tsinghua.edu.cn/pypi/web/simple',
      'gem-source': 'https://mirrors.tuna.tsinghua.edu.cn/rubygems/'
    },
    sources: {
      'apt-mirror': [
        'https://mirrors.tuna.tsinghua.edu.cn/help/debian/',
        'https://mirrors.tuna.tsinghua.edu.cn/help/ubuntu/'
      ],
      'apk-mirror': ['https://mirrors.tuna.tsinghua.edu.cn/help/alpine/'],
      'pip-index': ['https://mirrors.tuna.tsinghua.edu.cn/help/pypi/'],
      'gem-source': ['https://mirrors.tuna.tsinghua.edu.cn/help/rubygems/']
    },
    lastChecked: null
  },
  ustc: {
    description: 'USTC, the mirrors of the University of Science and Technology of China: the same kinds of packages',
    inputs: {
      'apt-mirror': 'https://mirrors.ustc.edu.cn',
      'apk-mirror': 'https://mirrors.ustc.edu.cn',
      'pip-index': 'https://mirrors.ustc.edu.cn/pypi/simple',
      'gem-source': 'https://mirrors.ustc.edu.cn/rubygems/'
    },
    sources: {
      'apt-mirror': [
        'https://mirrors.ustc.edu.cn/help/debian.html',
        'https://mirrors.ustc.edu.cn/help/debian-security.html',
        'https://mirrors.ustc.edu.cn/help/ubuntu.html'
      ],
      'apk-mirror': ['https://mirrors.ustc.edu.cn/help/alpine.html'],
      'pip-index': ['https://mirrors.ustc.edu.cn/help/pypi.html'],
      'gem-source': ['https://mirrors.ustc.edu.cn/help/rubygems.html']
    },
    lastChecked: null
  },
  aliyun: {
    description: 'the public mirrors of Alibaba Cloud: the same kinds of packages, and a Go proxy',
    inputs: {
      'apt-mirror': 'https://mirrors.aliyun.com',
      'apk-mirror': 'https://mirrors.aliyun.com',
      'go-proxy': 'https://mirrors.aliyun.com/goproxy/',
      'go-sumdb': sumdbInChina,
      'pip-index': 'https://mirrors.aliyun.com/pypi/simple/',
      'gem-source': 'https://mirrors.aliyun.com/rubygems/'
    },
    sources: {
      'apt-mirror': ['https://developer.aliyun.com/mirror/debian', 'https://developer.aliyun.com/mirror/ubuntu'],
      'apk-mirror': ['https://developer.aliyun.com/mirror/alpine'],
      'go-proxy': ['https://developer.aliyun.com/mirror/goproxy'],
      'go-sumdb': [sumdbSource],
      'pip-index': ['https://developer.aliyun.com/mirror/pypi'],
      'gem-source': ['https://developer.aliyun.com/mirror/rubygems']
    },
    lastChecked: null
  },
  daocloud: {
    description: "DaoCloud's mirror of docker.io: images alone, and only those on its allow-list",
    inputs: {'registry-mirrors': 'docker.io=m.daocloud.io/docker.io'},
    sources: {'registry-mirrors': ['https://github.com/DaoCloud/public-image-mirror']},
    lastChecked: null
  },
  'goproxy-cn': {
    description: "goproxy.cn and the checksum database's address for mainland China: Go modules alone",
    inputs: {'go-proxy': 'https://goproxy.cn', 'go-sumdb': sumdbInChina},
    sources: {'go-proxy': ['https://github.com/goproxy/goproxy.cn'], 'go-sumdb': [sumdbSource]},
    lastChecked: null
  },
  gitee: {
    description: "Gitee's copies of moby, containerd and runc: these three repositories alone",
    // Gitee has copies under names of its own and publishes no list: these are the names that public scripts use.
    inputs: {
      'git-mirrors': lines(
        'https://github.com/moby/moby=https://gitee.com/mirrors/moby',
        'https://github.com/containerd/containerd=https://gitee.com/mirrors/containerdsource',
        'https://github.com/opencontainers/runc=https://gitee.com/mirrors/runc'
      )
    },
    sources: {
      'git-mirrors': [
        'https://gitee.com/mirrors/moby',
        'https://gitee.com/mirrors/containerdsource',
        'https://gitee.com/mirrors/runc'
      ]
    },
    lastChecked: null
  }
}

/**
 * What a preset gives, by the names of the inputs.
 *
 * @throws ConfigurationError when there is no preset of that name.
 */
export function presetInputs(name: string): Readonly<Record<string, string>> {
  const preset = Object.hasOwn(mirrorPresets, name) ? mirrorPresets[name] : undefined
  if (preset === undefined) {
    throw new ConfigurationError(`There is no mirror preset '${name}', only ${Object.keys(mirrorPresets).join(', ')}.`)
  }
  return preset.inputs
}

function lines(...texts: readonly string[]): string {
  return texts.join('\n')
}
