//! The words of the command line.

use std::path::PathBuf;

use clap::Subcommand;

use super::words::FaultArgs;
use crate::{base::kind::AccountKind, cli::sandbox::parse_kind};

/// What can be asked of a sandbox.
#[derive(Debug, Subcommand)]
pub(super) enum CtlCommand {
    /// Show faults, arm one, or clear them all 故障
    Faults {
        #[command(subcommand)]
        change: Option<FaultChange>,
    },
    /// Show how often what was called 计数
    Counters,
    /// Show the clock, or move it 时钟
    Clock {
        #[command(subcommand)]
        change: Option<ClockChange>,
    },
    /// Show every call and what was answered 日志
    Journal,
    /// Show events, or fire one 事件
    Events {
        #[command(subcommand)]
        fire: Option<EventChange>,
        /// Only those behind this number
        #[arg(long, value_name = "SEQ")]
        after: Option<u64>,
    },
    /// Show deliveries of events and what was answered 推送记录
    Pushes {
        /// Only those behind this number
        #[arg(long, value_name = "SEQ")]
        after: Option<u64>,
    },
    /// Show where events are pushed to, or change it: url=… token=… mode=secure format=json; with
    /// verify=false the URL is not asked first 推送配置
    Push {
        /// Settings, or nothing to see them
        #[arg(value_name = "NAME=VALUE")]
        changes: Vec<String>,
        /// Push nothing any more
        #[arg(long, conflicts_with = "changes")]
        off: bool,
    },
    /// Show the state or a part of it, or change switches: audit_delay_s=5 frozen=true 状态与开关
    State {
        /// Switches, whose values are JSON or else texts; or the name of one part
        #[arg(value_name = "NAME=VALUE")]
        changes: Vec<String>,
    },
    /// Forget everything 重置
    Reset {
        /// But for the switches
        #[arg(long)]
        keep_settings: bool,
    },
    /// Print everything as JSON, for restore 快照
    Snapshot,
    /// Put a snapshot in place 恢复快照
    Restore {
        /// What snapshot printed; - for stdin
        #[arg(value_hint = clap::ValueHint::FilePath)]
        file: PathBuf,
    },
    /// Show accounts, add one, or remove one 账号
    Accounts {
        #[command(subcommand)]
        change: Option<AccountChange>,
    },
    /// Make a link to the page where a person pays an order 收银台
    Cashier {
        /// order_id or out_order_id
        order: String,
    },
    /// Show what is under audit, or decide it 审核
    Audits {
        #[command(subcommand)]
        decide: Option<AuditChange>,
    },
    /// Any control call: METHOD, what stands behind the account, JSON 任意控制调用
    Call {
        /// GET, POST …
        method: String,
        /// Such as events?after=7
        rest: String,
        /// The body
        #[arg(value_name = "JSON")]
        body: Option<String>,
    },
}

/// What becomes of faults.
#[derive(Debug, Subcommand)]
pub(super) enum FaultChange {
    /// Arm one 添加
    Add(Box<FaultArgs>),
    /// Disarm one 移除
    Remove {
        /// Its id
        id: String,
    },
    /// Disarm all 清除
    Clear,
}

/// What becomes of the clock.
#[derive(Debug, Subcommand)]
pub(super) enum ClockChange {
    /// Move it forward, e.g. 2h 前进
    Advance {
        /// 90s, 2h, 7d
        time: String,
    },
    /// Move it forward to a moment 拨到
    At {
        /// Such as 2026-06-15T10:20:00+08:00
        time: String,
    },
    /// Stop it 冻结
    Freeze,
    /// Let it run 继续
    Run,
}

/// What becomes of events.
#[derive(Debug, Subcommand)]
pub(super) enum EventChange {
    /// Fire one, with what its message holds 触发
    Fire {
        /// Its name
        name: String,
        /// A JSON object
        set: Option<String>,
        /// Push the message even where this cannot happen
        #[arg(long)]
        force: bool,
    },
}

/// What becomes of accounts.
#[derive(Debug, Subcommand)]
pub(super) enum AccountChange {
    /// Add one 添加
    Add {
        /// Its name in control calls
        name: String,
        /// What it is: official-account, wecom, open-platform [default: mini-program]
        #[arg(long, value_parser = parse_kind)]
        kind: Option<AccountKind>,
        /// Its AppID; without it, one is made
        #[arg(long)]
        app_id: Option<String>,
        /// Its simulated AppSecret, never a real one; without it, one is made
        #[arg(long)]
        app_secret: Option<String>,
    },
    /// Remove one 删除
    Remove {
        /// Its name
        name: String,
    },
}

/// What becomes of an audit.
#[derive(Debug, Subcommand)]
pub(super) enum AuditChange {
    /// Let it pass 通过
    Pass {
        /// The audit's id
        id: String,
    },
    /// Reject it 驳回
    Reject {
        /// The audit's id
        id: String,
        /// What the merchant is told
        reason: Option<String>,
    },
}
