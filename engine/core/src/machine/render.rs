//! Texts become values: orders for actions and checks, conditions, expressions.
//!
//! A text gets a scope with what it refers to and nothing else, so that one text does not cost as much as the run is
//! large.

use indexmap::IndexMap;
use serde_json::{Map, Value, json};

use super::{Key, Machine, Status};
use crate::{
    action::{
        self, HttpOrder, Order, ProcessOrder,
        exec::Exec,
        http::Http,
        kube::{self, ClusterRef, Render, Rendered, Texts},
        shell,
    },
    check::{self, dns, tls},
    evidence::event::Task,
    expr::Expression,
    model::{Check, SecretTemplate, Template},
    plan::{Binding, PlanScope},
    scope::{Clock, Reference, Scope},
    template,
};

/// An order as it is recorded. Secrets in it are masked with the event it becomes part of.
pub(crate) fn masked_order(order: &Order) -> Value {
    serde_json::to_value(order).unwrap_or(Value::Null)
}

/// Who renders: a step, or the pre-flight of one of the plan's runbooks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader {
    pub(super) node: Option<usize>,
    pub(super) scope: usize,
}

type Extra = Vec<(String, Value)>;

/// Renders the texts of a specification for one reader.
pub(super) struct Rendering<'a> {
    pub(super) machine: &'a Machine,
    pub(super) reader: Reader,
}

impl Texts for Rendering<'_> {
    fn plain(&self, template: &Template) -> Rendered<Template> {
        self.machine.plain(self.reader, template).map(Template)
    }

    fn secret(&self, template: &SecretTemplate) -> Rendered<SecretTemplate> {
        self.machine.secret(self.reader, template).map(SecretTemplate)
    }

    fn path(&self, template: &Template) -> Rendered<Template> {
        let base = self.machine.plan_scope(self.reader).map_or("", |scope| scope.directory.as_str());
        Ok(Template(below(base, self.machine.plain(self.reader, template)?)))
    }
}

/// A path of a runbook, relative to the directory of the one that was asked for.
fn below(base: &str, path: String) -> String {
    if base.is_empty() || path.starts_with('/') { path } else { format!("{base}/{path}") }
}

/// The cluster and the rendered request of the one action on a cluster that a step or an undo has.
macro_rules! requests {
    ($texts:expr, $of:expr; $($field:ident => $variant:ident),* $(,)?) => {{
        let mut found = None;
        $(if let Some(spec) = &$of.$field {
            let spec = spec.render(&$texts)?;
            found = Some((String::clone(&spec.cluster), kube::Request::$variant(spec)));
        })*
        found
    }};
    ($texts:expr, $of:expr) => {
        requests!($texts, $of;
            apply => Apply,
            patch => Patch,
            scale => Scale,
            delete => Delete,
            job => Job,
            velero_backup => VeleroBackup,
            velero_restore => VeleroRestore,
            flux_reconcile => FluxReconcile,
            argocd_sync => ArgocdSync,
        )
    };
}

impl Machine {
    fn reader(&self, node: Option<usize>, scope: Option<usize>) -> Reader {
        let of_step = node.and_then(|node| self.step(node)).map(|step| step.scope);
        Reader { node, scope: of_step.or(scope).unwrap_or(0) }
    }

    fn plan_scope(&self, reader: Reader) -> Option<&PlanScope> {
        self.plan.scopes.get(reader.scope)
    }

    /// The clocks of the run. That of the outage is the one that the RTO is measured by: where nobody said when it began, it is
    /// as old as the run, and a drill that causes it has none before. A guard that a run must not go on without has to work
    /// in all of them.
    pub(crate) fn clock(&self) -> Clock {
        let since = |from: jiff::Timestamp| {
            u64::try_from(self.now.at.as_millisecond().saturating_sub(from.as_millisecond())).unwrap_or(0)
        };
        let marked = self.state.outage != self.state.created.outage_at;
        let to_come = !marked && self.injectors.iter().any(|&node| self.settled[node].is_none());
        Clock {
            since_outage: Some(if to_come { 0 } else { since(self.state.outage.unwrap_or(self.state.created_at)) }),
            since_declared: self.state.created.declared_at.map(since),
            elapsed: Some(self.now.elapsed_ms),
        }
    }

    /// What a text sees: what it refers to, and `extra` on top.
    fn scope(&self, reader: Reader, references: &[Reference], secrets: bool, extra: Extra) -> Scope {
        let mut names = Map::new();
        let (mut inputs, mut steps) = (Map::new(), Map::new());
        for reference in references {
            let mut path = reference.path.iter().map(String::as_str);
            match (path.next(), path.next()) {
                (Some("inputs"), Some(name)) => {
                    if let Some(value) = self.input(reader, name, secrets) {
                        inputs.insert(name.to_owned(), value);
                    }
                }
                (Some("steps"), Some(name)) => {
                    if let Some(value) = self.step_value(reader, name) {
                        steps.insert(name.to_owned(), value);
                    }
                }
                _ => {}
            }
        }
        names.insert("inputs".to_owned(), inputs.into());
        names.insert("steps".to_owned(), steps.into());
        names.insert(
            "run".to_owned(),
            json!({
                "id": self.state.created.run,
                "mode": self.plan.mode.name(),
                "startedAt": self.state.created_at.to_string(),
            }),
        );
        if let Some((name, value)) = reader.node.and_then(|node| self.step(node)).and_then(|step| step.each.clone()) {
            names.insert("each".to_owned(), json!({name: value}));
        }
        names.extend(extra);
        Scope { names, clock: self.clock() }
    }

    fn input(&self, reader: Reader, name: &str, secrets: bool) -> Option<Value> {
        match self.plan_scope(reader)?.inputs.get(name)? {
            Binding::Value(value) => Some(value.clone()),
            Binding::Secret(secret) if secrets => self.secrets.get(secret).map(|value| Value::from(value.as_str())),
            Binding::Secret(_) => None,
        }
    }

    fn step_value(&self, reader: Reader, name: &str) -> Option<Value> {
        let prefix = &self.plan_scope(reader)?.prefix;
        let node = self
            .state
            .node(&format!("{prefix}{name}"))
            .or_else(|| self.state.node(&format!("cleanup/{prefix}{name}")))?;
        let step = &self.state.steps[node];
        let mut outputs: Map<String, Value> = Map::new();
        // What a step has not given (yet) is null and not unknown: a clean-up after a failure can ask whether it is there.
        if let Some(step) = self.step(node) {
            outputs.extend(step.spec.outputs.keys().map(|name| (name.clone(), Value::Null)));
        }
        outputs.extend(step.outputs.iter().map(|(name, value)| (name.clone(), value.clone())));
        let time = |now: Option<super::Now>| now.map(|now| Value::from(now.at.to_string())).unwrap_or_default();
        Some(json!({
            "outputs": outputs,
            "status": step.status.name(),
            "startedAt": time(step.started),
            "finishedAt": time(step.finished),
        }))
    }

    fn text(&self, reader: Reader, text: &str, secrets: bool) -> Result<String, String> {
        let template = template::Template::compile(text).map_err(|problem| problem.message)?;
        if template.is_literal() {
            return template.render(&Scope::default());
        }
        let scope = self.scope(reader, &template.references(), secrets, Vec::new());
        template.render(&scope)
    }

    fn plain(&self, reader: Reader, template: &Template) -> Result<String, String> {
        self.text(reader, template.as_str(), false)
    }

    fn secret(&self, reader: Reader, template: &SecretTemplate) -> Result<String, String> {
        self.text(reader, template.as_str(), true)
    }

    /// The value of an expression of a step.
    pub(crate) fn evaluate(
        &self,
        node: usize,
        text: &str,
        extra: impl IntoIterator<Item = (String, Value)>,
    ) -> Result<Value, String> {
        let expression = compile(text)?;
        let reader = self.reader(Some(node), None);
        expression.evaluate(&self.scope(reader, &expression.references(), false, extra.into_iter().collect()))
    }

    /// Whether an expression of a step, or of a pre-flight, is true.
    pub(crate) fn test(
        &self,
        node: Option<usize>,
        scope: Option<usize>,
        text: &str,
        extra: Extra,
    ) -> Result<bool, String> {
        let expression = compile(text)?;
        let reader = self.reader(node, scope);
        expression.test(&self.scope(reader, &expression.references(), false, extra))
    }

    /// A step's `when`: `None` when it is true or absent, otherwise its text and the values it saw.
    #[expect(clippy::type_complexity, reason = "a name for it would be used once")]
    pub(crate) fn condition(&self, node: usize) -> Result<Option<(String, IndexMap<String, Value>)>, String> {
        let Some(when) = self.step(node).and_then(|step| step.spec.when.as_ref()) else { return Ok(None) };
        let text = when.as_str();
        let expression = compile(text)?;
        let references = expression.references();
        let scope = self.scope(self.reader(Some(node), None), &references, false, Vec::new());
        if expression.test(&scope)? {
            return Ok(None);
        }
        let names = Value::Object(scope.names);
        let values = references
            .iter()
            .filter_map(|reference| {
                let value = names.pointer(&format!("/{}", reference.path.join("/")))?;
                Some((reference.path.join("."), value.clone()))
            })
            .collect();
        Ok(Some((text.to_owned(), values)))
    }

    /// What a step's action, or its undo, is asked to do.
    pub(crate) fn action_order(&self, key: Key) -> Result<Order, String> {
        let (node, task) = key;
        let reader = self.reader(Some(node), None);
        let work = self.work(key);
        let step = work.spec();
        let undo = work.undo();
        if let Some(order) = self.kube_order(key, reader)? {
            return Ok(Order::Kube(Box::new(order)));
        }
        let (exec, shell, http, manual) = match (task, undo) {
            (Task::Do, _) => (&step.exec, &step.shell, &step.http, &step.manual),
            (Task::Undo, Some(undo)) => (&undo.exec, &undo.shell, &undo.http, &undo.manual),
            (Task::Undo, None) => return Ok(Order::Nothing),
        };
        let own = undo.filter(|_| task == Task::Undo);
        let process = |argv: Vec<String>| -> Result<Order, String> {
            let mut env = self.environment(reader, &step.env)?;
            if let Some(own) = own {
                env.extend(self.environment(reader, &own.env)?);
            }
            let cwd = own.and_then(|undo| undo.cwd.as_ref()).or(step.cwd.as_ref());
            let stdin = own.map_or(step.stdin.as_ref(), |undo| undo.stdin.as_ref());
            Ok(Order::Process(ProcessOrder {
                argv,
                env,
                cwd: self.directory(reader, cwd)?,
                stdin: stdin.map(|text| self.secret(reader, text)).transpose()?,
            }))
        };
        if let Some(exec) = exec {
            return process(self.argv(reader, exec)?);
        }
        if let Some(script) = shell {
            let interpreter = own.map_or(step.interpreter.as_deref(), |undo| undo.interpreter.as_deref());
            return process(script_argv(interpreter, &script.0));
        }
        if let Some(http) = http {
            return self.request(reader, http).map(Order::Http);
        }
        if let Some(manual) = manual {
            return Ok(Order::Manual { instructions: self.plain(reader, &manual.instructions)? });
        }
        match (&step.pause, task) {
            (Some(pause), Task::Do) => Ok(Order::Pause { duration: pause.0 }),
            _ => Ok(Order::Nothing),
        }
    }

    /// A cluster of one of the plan's runbooks, as the runtime finds it.
    pub(crate) fn cluster_of(&self, scope: usize, name: &str) -> Result<ClusterRef, String> {
        let runbook = &self.plan.scopes.get(scope).ok_or("its runbook is not in the plan")?.runbook;
        let cluster = runbook.clusters.get(name).ok_or_else(|| {
            let known: Vec<&str> = runbook.clusters.keys().map(String::as_str).collect();
            format!("expected a cluster of the runbook ({}), found `{name}`", known.join(", "))
        })?;
        let name = format!("{}{name}", self.plan.scopes[scope].prefix);
        let texts = Rendering { machine: self, reader: self.reader(None, Some(scope)) };
        let text = |text: Rendered<Option<Template>>| -> Result<Option<String>, String> {
            Ok(text.map_err(|reason| format!("cluster `{name}`: {reason}"))?.map(|text| text.0))
        };
        Ok(ClusterRef {
            context: text(texts.option(cluster.context.as_ref()))?,
            kubeconfig: text(cluster.kubeconfig.as_ref().map(|path| texts.path(path)).transpose())?,
            in_cluster: cluster.in_cluster,
            uid: self.state.clusters.get(&name).map(|met| met.uid.clone()),
            name,
        })
    }

    /// What an action on a cluster is asked to do, if the step has one.
    fn kube_order(&self, key: Key, reader: Reader) -> Result<Option<kube::Order>, String> {
        let (node, task) = key;
        let work = self.work(key);
        let texts = Rendering { machine: self, reader };
        let taken_back = task == Task::Undo && work.undoes_itself();
        let undo = work.undo().filter(|_| task == Task::Undo);
        let found = match undo {
            Some(undo) => requests!(texts, undo),
            None if task == Task::Do || taken_back => requests!(texts, work.spec()),
            None => None,
        };
        let Some((cluster, request)) = found else { return Ok(None) };
        let cluster = self.cluster_of(reader.scope, &cluster)?;
        let state = &self.state.steps[node];
        let step = self.id(node);
        let request = if taken_back {
            let prepared = state.own.prepared.clone();
            if prepared.is_empty() {
                return Ok(None);
            }
            kube::Request::Undo { of: Box::new(request), prepared }
        } else {
            request
        };
        let run = self.state.created.run.clone();
        let named = if task == Task::Undo { format!("{step}/undo") } else { step.clone() };
        // The order is made before its attempt is announced, and again when an attempt is gone on with.
        let attempt = match state.task(task).progress {
            super::state::Progress::Started | super::state::Progress::Unknown => state.task(task).attempts,
            _ => state.task(task).attempts.saturating_add(1),
        };
        let object = crate::kube::name::object_name(&run, &named, attempt);
        Ok(Some(kube::Order { cluster, object, run, step, capture: task == Task::Do && work.undoes_itself(), request }))
    }

    /// What a check is asked to observe; `first` when it was not looked at before.
    pub(crate) fn check_order(
        &self,
        key: Option<Key>,
        scope: Option<usize>,
        check: &Check,
        first: bool,
    ) -> Result<check::Order, String> {
        let node = key.map(|(node, _)| node);
        let reader = self.reader(node, scope);
        let process = |argv: Vec<String>| -> Result<check::Order, String> {
            let work = key.map(|key| self.work(key));
            let undo =
                work.as_ref().filter(|_| key.is_some_and(|(_, task)| task == Task::Undo)).and_then(|work| work.undo());
            let mut env = match &work {
                Some(work) => self.environment(reader, &work.spec().env)?,
                None => IndexMap::new(),
            };
            if let Some(undo) = undo {
                env.extend(self.environment(reader, &undo.env)?);
            }
            env.extend(self.environment(reader, &check.env)?);
            let cwd = check
                .cwd
                .as_ref()
                .or(undo.and_then(|undo| undo.cwd.as_ref()))
                .or(work.as_ref().and_then(|work| work.spec().cwd.as_ref()));
            Ok(check::Order::Process(ProcessOrder { argv, env, cwd: self.directory(reader, cwd)?, stdin: None }))
        };
        if let Some(exec) = &check.exec {
            return process(self.argv(reader, exec)?);
        }
        if let Some(script) = &check.shell {
            let own = key.map(|key| self.work(key));
            let interpreter = own.as_ref().and_then(|work| work.spec().interpreter.as_deref());
            return process(script_argv(interpreter, &script.0));
        }
        if let Some(http) = &check.http {
            return self.request(reader, http).map(check::Order::Http);
        }
        if let Some(tcp) = &check.tcp {
            return Ok(check::Order::Tcp { address: self.plain(reader, &tcp.address)? });
        }
        if let Some(tls) = &check.tls {
            let address = self.plain(reader, &tls.address)?;
            let server_name = if let Some(name) = &tls.server_name {
                self.plain(reader, name)?
            } else {
                let host = address.rsplit_once(':').map_or(address.as_str(), |(host, _)| host);
                host.trim_start_matches('[').trim_end_matches(']').to_owned()
            };
            let ca_file = tls.ca_file.as_ref().map(|path| self.plain(reader, path)).transpose()?;
            let min_days_left = tls.min_days_left.unwrap_or(1);
            return Ok(check::Order::Tls(tls::Order { address, server_name, ca_file, min_days_left }));
        }
        if let Some(dns) = &check.dns {
            let resolvers: Result<Vec<String>, String> =
                dns.resolvers.iter().map(|resolver| self.plain(reader, resolver)).collect();
            let record = dns.record.as_ref().map_or(dns::RecordType::A, |record| **record);
            return Ok(check::Order::Dns(dns::Order {
                name: self.plain(reader, &dns.name)?,
                record,
                resolvers: resolvers?,
            }));
        }
        let texts = Rendering { machine: self, reader };
        if let Some(kube) = &check.kube {
            return Ok(check::Order::Kube(Box::new(check::kube::Order {
                cluster: self.cluster_of(reader.scope, &kube.cluster)?,
                spec: kube.render(&texts)?,
                whole: check.expect.is_some(),
                again: check.within.is_some() || check.holds.is_some(),
                fresh: first,
            })));
        }
        if let Some(can_i) = &check.can_i {
            let cluster = self.cluster_of(reader.scope, &can_i.cluster)?;
            return Ok(check::Order::CanI(Box::new(check::can_i::Order { cluster, spec: can_i.render(&texts)? })));
        }
        if let Some(question) = &check.ask {
            return Ok(check::Order::Ask { question: self.plain(reader, question)? });
        }
        Ok(check::Order::Expr)
    }

    fn argv(&self, reader: Reader, exec: &Exec) -> Result<Vec<String>, String> {
        exec.0.iter().map(|argument| self.plain(reader, argument)).collect()
    }

    fn environment(
        &self,
        reader: Reader,
        env: &IndexMap<String, SecretTemplate>,
    ) -> Result<IndexMap<String, String>, String> {
        env.iter()
            .map(|(name, value)| {
                let value = self.secret(reader, value).map_err(|reason| format!("env `{name}`: {reason}"))?;
                Ok((name.clone(), value))
            })
            .collect()
    }

    /// A working directory, relative to the directory of the runbook that was asked for.
    fn directory(&self, reader: Reader, cwd: Option<&Template>) -> Result<Option<String>, String> {
        let base = self.plan_scope(reader).map_or("", |scope| scope.directory.as_str());
        let own = cwd.map(|cwd| self.plain(reader, cwd)).transpose()?;
        Ok(match (base, own) {
            ("", own) => own,
            (base, None) => Some(base.to_owned()),
            (base, Some(own)) => Some(below(base, own)),
        })
    }

    fn request(&self, reader: Reader, http: &Http) -> Result<HttpOrder, String> {
        let headers: Result<IndexMap<String, String>, String> =
            http.headers.iter().map(|(name, value)| Ok((name.clone(), self.secret(reader, value)?))).collect();
        Ok(HttpOrder {
            method: http.method.as_ref().map_or(action::http::Method::Get, |method| **method).name().to_owned(),
            url: self.plain(reader, &http.url)?,
            headers: headers?,
            body: http.body.as_ref().map(|body| self.secret(reader, body)).transpose()?,
            follow_redirects: http.follow_redirects,
            insecure: http.insecure,
            ca_file: http.ca_file.as_ref().map(|path| self.plain(reader, path)).transpose()?,
        })
    }

    /// How a status reads in an expression.
    pub(crate) fn status_name(&self, node: usize) -> &'static str {
        self.state.steps.get(node).map_or(Status::Pending, |step| step.status).name()
    }
}

fn script_argv(interpreter: Option<&Vec<String>>, script: &str) -> Vec<String> {
    let mut argv: Vec<String> = match interpreter {
        Some(interpreter) => interpreter.clone(),
        None => shell::INTERPRETER.iter().map(|&word| word.to_owned()).collect(),
    };
    argv.push("-c".to_owned());
    argv.push(script.to_owned());
    argv
}

pub(super) fn compile(text: &str) -> Result<Expression, String> {
    Expression::compile(text).map_err(|problems| {
        problems.first().map_or_else(|| "it is not CEL".to_owned(), |problem| problem.message.clone())
    })
}
