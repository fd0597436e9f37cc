//! Who is compared, and how each is started.

use std::{
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use tokio::time::Instant;

use super::{
    Outcome, configs,
    options::Options,
    process::{Core, Program, command},
    workshop::{Workshop, free_port},
};

/// One that does the job, or the origin itself as the way without anybody between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    Nginx,
    NginxLua,
    Haproxy,
    Bare,
    WxgateOff,
    WxgateOn,
}

impl Peer {
    /// Those whose names are given, nginx always.
    pub(crate) fn chosen(names: &[String]) -> Outcome<Vec<Self>> {
        let unknown = names.iter().find(|name| !ALL.iter().any(|peer| peer.name() == **name));
        if let Some(unknown) = unknown {
            let known: Vec<_> = ALL.iter().map(|peer| peer.name()).collect();
            return Err(
                format!("no peer is called {unknown}; there are {}", known.join(", ")).into()
            );
        }
        let is_chosen = |peer: &&Self| {
            names.is_empty()
                || **peer == Self::Nginx
                || names.iter().any(|name| name == peer.name())
        };
        Ok(ALL.iter().filter(is_chosen).copied().collect())
    }

    /// As it stands in tables.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::NginxLua => "nginx-lua",
            Self::Haproxy => "haproxy",
            Self::Bare => "bare",
            Self::WxgateOff => "wxgate-off",
            Self::WxgateOn => "wxgate-on",
        }
    }

    /// Starts it between `origin` and a free port.
    pub(crate) fn start(
        self,
        options: &Options,
        workshop: &Workshop,
        origin: SocketAddr,
    ) -> Outcome<Running> {
        let listen = free_port()?;
        let file = |extension: &str| format!("{}.{extension}", self.name());
        let mut command = match self {
            Self::Nginx | Self::NginxLua => {
                let log =
                    if self == Self::Nginx { configs::Log::Request } else { configs::Log::Both };
                let text = configs::nginx(workshop, log, listen, origin);
                let config = workshop.write(&file("conf"), text)?;
                let mut nginx = command(Core::Peer, "nginx");
                nginx.arg("-p").arg(workshop.path()).arg("-c").arg(config);
                nginx
            }
            Self::Haproxy => {
                let text = configs::haproxy(workshop, listen, origin);
                let config = workshop.write(&file("cfg"), text)?;
                let mut haproxy = command(Core::Peer, "haproxy");
                haproxy.arg("-db").arg("-f").arg(config);
                haproxy
            }
            Self::Bare => {
                let mut bare = command(Core::Peer, std::env::current_exe()?);
                bare.arg("bare").arg(listen.to_string()).arg(origin.to_string());
                bare.arg(workshop.path());
                bare
            }
            Self::WxgateOff | Self::WxgateOn => {
                let secret = workshop.write("secret", "0123456789abcdef0123456789abcdef")?;
                super::workshop::private(&secret)?;
                let text = configs::wxgate(workshop, self == Self::WxgateOn, listen, origin);
                let config = workshop.write(&file("toml"), text)?;
                // A run begins with nothing stored.
                let _ = std::fs::remove_dir_all(
                    workshop.file(&format!("wxgate-data-{}", self == Self::WxgateOn)),
                );
                let mut wxgate = command(Core::Peer, &options.wxgate);
                wxgate.arg("serve").arg("--config").arg(config);
                wxgate
            }
        };
        command.current_dir(workshop.path());
        let log = workshop.file(&file("log"));
        Running::wait(Program::start(command, &log)?, listen, &log)
    }
}

/// The origin, on the core that is not the peer's.
pub(crate) fn start_origin(workshop: &Workshop) -> Outcome<Running> {
    let listen = free_port()?;
    let config = workshop.write("origin.conf", configs::origin(workshop, listen))?;
    let mut nginx = command(Core::Rest, "nginx");
    nginx.arg("-p").arg(workshop.path()).arg("-c").arg(config).current_dir(workshop.path());
    let log = workshop.file("origin.log");
    Running::wait(Program::start(nginx, &log)?, listen, &log)
}

/// A program that listens.
pub(crate) struct Running {
    pub(crate) program: Program,
    pub(crate) address: SocketAddr,
}

impl Running {
    /// Waits until it listens; what it said is the error when it ends instead.
    fn wait(mut program: Program, address: SocketAddr, log: &std::path::Path) -> Outcome<Self> {
        let deadline = Instant::now() + START_LIMIT;
        while TcpStream::connect_timeout(&address, START_LIMIT).is_err() {
            if program.has_ended() || Instant::now() > deadline {
                let said = std::fs::read_to_string(log).unwrap_or_default();
                return Err(format!("it does not listen on {address}:\n{said}").into());
            }
            std::thread::yield_now();
        }
        Ok(Self { program, address })
    }
}

const ALL: [Peer; 6] =
    [Peer::Nginx, Peer::NginxLua, Peer::Haproxy, Peer::Bare, Peer::WxgateOff, Peer::WxgateOn];

const START_LIMIT: Duration = Duration::from_secs(20);
