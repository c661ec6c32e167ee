import { dictionary } from "$kit/i18n.svelte";

export const words = dictionary(
  {
    title: "开机检查",
    about: "值班前，安装所需的各项是否就绪。每次更改之后都应再查一遍。",
    again: "重新检查",
    asking: "正在检查…",
    asOf: (age: string) => `${age}前检查`,
    staleNow: "服务器已失联，以下为旧结果。",
    allWell: "各项均已就绪。",
    summary: (fail: number, warn: number, ok: number) => `${fail} 项未就绪，${warn} 项须注意，${ok} 项正常。`,
    states: { ok: "正常", warn: "须注意", fail: "未就绪" },
    command: "命令",
    toAdmin: { place: "打开“管理 · 场所”", sensors: "打开“管理 · 传感器”", people: "打开“管理 · 人员”" },
    points: {
      "disk.room": {
        title: "磁盘空间",
        figures: (p: (name: string) => string) => `剩余 ${p("free_gb")} GB`,
        mend: "少于 5 GB 应腾出空间；少于 0.5 GB 计数可能丢失。请封存旧计数，或移走旧备份。",
      },
      "place.present": {
        title: "商圈场所",
        figures: (p: (name: string) => string) => `${p("zones")} 个区域，${p("gates")} 个通道口`,
        mend: "尚无区域，无法计算密度。请导入商圈的 GeoJSON 文档。",
      },
      "sensors.defined": {
        title: "传感器登记",
        figures: (p: (name: string) => string) => `在用 ${p("sensors")} 个`,
        mend: "请登记每个计数器及其所在的通道口或区域。",
      },
      "feed.open": {
        title: "数据源",
        figures: (p: (name: string) => string) => `启用 ${p("feeds")} 个`,
        mend: "请开设数据源，将其密钥（只显示一次）填入计数器或网关。仅用 MQTT 时不需要。",
      },
      "sensors.heard": {
        title: "传感器曾有数据",
        figures: (p: (name: string) => string) => `${p("heard")} / ${p("sensors")}`,
        mend: "尚未登记传感器，或有传感器从未发来数据。请检查其供电、网络、密钥和编号。",
      },
      "counts.fresh": {
        title: "计数正在到达",
        figures: (p: (name: string) => string) => `${p("fresh")} / ${p("sensors")}`,
        mend: "失联传感器所在的区域显示为“未知”。请检查其供电和网络。",
      },
      "accounts.desk": {
        title: "值班账号",
        figures: (p: (name: string) => string) => `${p("accounts")} 个`,
        mend: "请为每位值班员开设“值班员”角色的账号，不要共用管理员账号。",
      },
      "cookies.secure": {
        title: "加密登录",
        figures: (_p: (name: string) => string) => "",
        mend: "有人从其他机器登录。请在前端配置 HTTPS，并在 anshang.toml 中设置：",
      },
      "proxy.trusted": {
        title: "前端代理",
        figures: (p: (name: string) => string) => p("address"),
        mend: "有代理在转发请求，但未被信任，所有人都按同一地址计数。请在 anshang.toml 中写明代理的地址：",
      },
      "files.enough": {
        title: "可打开的连接数",
        figures: (p: (name: string) => string) => p("files"),
        mend: "少于 4096，人多时页面可能连不上。请在 systemd 单元中设置 LimitNOFILE=65536，再重启服务。",
      },
      "journal.whole": {
        title: "日志完整",
        figures: (p: (name: string) => string) => `${p("faults")} 处异常${p("since") && `（${p("since")} 封存之后）`}`,
        mend: "日志有条目被更改或丢失。请保留数据库原样，与纸面记录的链值核对，再从备份恢复。",
      },
      "clock.trusted": {
        title: "系统时钟可信",
        figures: (p: (name: string) => string) => p("trusted_at") && `可信至 ${p("trusted_at")}`,
        mend: "时钟可疑，已暂停销毁到期资料。请校正时钟；确认无误后在服务器上运行：",
      },
      "vault.readable": {
        title: "保密资料可读",
        figures: (p: (name: string) => string) => `${p("unreadable")} 份无法读取`,
        mend: "缺少这些资料的密钥（备份不含密钥）。请导入另行保存的密钥；若无，进行中的协查须重新描述。",
      },
      "jobs.running": {
        title: "后台任务",
        figures: (p: (name: string) => string) => p("zh"),
        mend: "这些工作已停止或部分失败，系统会自动重试。请查看磁盘、数据库和服务器日志；持续不恢复时重启服务。",
      },
    },
  },
  {
    title: "First-run check",
    about: "Whether everything a shift relies on is ready. Look here again after every change.",
    again: "Check again",
    asking: "Checking…",
    asOf: (age) => `checked ${age} ago`,
    staleNow: "The server is silent; these are old results.",
    allWell: "Everything is ready.",
    summary: (fail, warn, ok) => `${fail} not ready, ${warn} to look at, ${ok} well.`,
    states: { ok: "well", warn: "look at it", fail: "not ready" },
    command: "Command",
    toAdmin: { place: "Open Admin · Place", sensors: "Open Admin · Sensors", people: "Open Admin · People" },
    points: {
      "disk.room": {
        title: "Room on the disk",
        figures: (p) => `${p("free_gb")} GB free`,
        mend: "Below 5 GB make room; below 0.5 GB counts may be lost. Seal old counts, or move back-ups away.",
      },
      "place.present": {
        title: "The district's place",
        figures: (p) => `${p("zones")} zones, ${p("gates")} gates`,
        mend: "There is no zone yet, so no density. Import the district's GeoJSON document.",
      },
      "sensors.defined": {
        title: "Sensors entered",
        figures: (p) => `${p("sensors")} in use`,
        mend: "Enter every counter with its gate or its zone.",
      },
      "feed.open": {
        title: "Feed",
        figures: (p) => `${p("feeds")} open`,
        mend: "Open a feed; its key, shown once, goes into the counter or gateway. Not needed with MQTT alone.",
      },
      "sensors.heard": {
        title: "Sensors heard at least once",
        figures: (p) => `${p("heard")} of ${p("sensors")}`,
        mend: "No sensor is entered, or one has never sent anything. Look at its power, network, key and id.",
      },
      "counts.fresh": {
        title: "Counts arriving now",
        figures: (p) => `${p("fresh")} of ${p("sensors")}`,
        mend: "The zone of a silent sensor is “unknown”. Look at the sensor's power and network.",
      },
      "accounts.desk": {
        title: "Desk accounts",
        figures: (p) => `${p("accounts")} open`,
        mend: "Open an account with the role “desk” for every officer; do not share the administrator's.",
      },
      "cookies.secure": {
        title: "Encrypted sign-in",
        figures: () => "",
        mend: "People sign in from other machines. Put HTTPS in front, and set in anshang.toml:",
      },
      "proxy.trusted": {
        title: "Proxy in front",
        figures: (p) => p("address"),
        mend: "A proxy passes requests on but is not trusted, so everybody counts as one address. Name it in anshang.toml:",
      },
      "files.enough": {
        title: "Open connections",
        figures: (p) => p("files"),
        mend: "Below 4096 a crowd may not get through. Set LimitNOFILE=65536 in the systemd unit and restart.",
      },
      "journal.whole": {
        title: "Journal whole",
        figures: (p) => `faults: ${p("faults")}${p("since") && ` (since the seal of ${p("since")})`}`,
        mend:
          "An entry was changed or lost. Leave the database as it is, compare with the chain value on paper, " +
          "then restore a back-up.",
      },
      "clock.trusted": {
        title: "Clock trusted",
        figures: (p) => p("trusted_at") && `trusted until ${p("trusted_at")}`,
        mend: "The clock is in doubt, so nothing is erased. Correct it; once it is right, confirm it on the server:",
      },
      "vault.readable": {
        title: "Personal records readable",
        figures: (p) => `${p("unreadable")} unreadable`,
        mend:
          "Their keys are missing: no back-up holds keys. Import the keys that were exported apart; without them, " +
          "open searches must be described again.",
      },
      "jobs.running": {
        title: "Background work",
        figures: (p) => p("en"),
        mend:
          "This work has stopped or fails in part; it is tried again by itself. Look at the disk, the database and the " +
          "server's log; restart the server if it does not recover.",
      },
    },
  },
);
