//! How officers sign in.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, ensure};
use idcheck_identity::{OfficerCredentials, OpenIdProvider, Passkeys, ProviderSettings};
use idcheck_persistence::Store;
use idcheck_usecases::officer::{OfficerPorts, PasskeyPorts, SignInMethods};
use zeroize::Zeroizing;

use crate::{
    config::Config,
    keyfile,
    system::{SystemClock, SystemEntropy},
};

/// The identity provider, where one is named.
///
/// # Errors
/// What of the configuration can't be used.
pub(crate) fn identity_provider(config: &Config) -> anyhow::Result<Option<OpenIdProvider>> {
    let oidc = &config.oidc;
    let Some(issuer) = oidc.issuer.clone() else {
        ensure!(oidc.client_id.is_empty(), "oidc.client_id is set, but oidc.issuer is not");
        return Ok(None);
    };
    ensure!(!oidc.client_id.is_empty(), "oidc.client_id is missing");
    let secret = oidc.client_secret_file.as_ref().map(|file| {
        let text = keyfile::secret(file, "oidc.client_secret_file")?;
        Ok::<_, anyhow::Error>(Zeroizing::new(text.trim().to_owned()))
    });
    let settings = ProviderSettings {
        issuer,
        client_id: oidc.client_id.clone(),
        client_secret: secret.transpose()?,
        acr: oidc.acr.clone(),
        redirect_uri: format!("{}{}", config.base_url, idcheck_http::SIGN_IN_CALLBACK),
        timeout: Duration::from_secs(oidc.timeout),
    };
    Ok(Some(OpenIdProvider::new(settings, Arc::new(SystemClock)).context("oidc.issuer")?))
}

pub(crate) fn sign_in_methods(config: &Config) -> anyhow::Result<SignInMethods> {
    Ok(identity_provider(config)?.map_or(SignInMethods::Local, |provider| SignInMethods::Provider {
        provider: Arc::new(provider),
        local: config.oidc.local_accounts,
    }))
}

/// The ports that officers' accounts need.
///
/// # Errors
/// When passwords can't be hashed.
pub(crate) fn officer_ports(
    store: &Store,
    base_url: &str,
    methods: SignInMethods,
) -> anyhow::Result<OfficerPorts> {
    let store = Arc::new(store.clone());
    Ok(OfficerPorts {
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy::default()),
        officers: Arc::clone(&store) as _,
        sessions: Arc::clone(&store) as _,
        credentials: Arc::new(OfficerCredentials::new()?),
        passkeys: Passkeys::new(base_url)
            .map(|verifier| PasskeyPorts { verifier: Arc::new(verifier), store: Arc::clone(&store) as _ }),
        changes: store,
        methods,
    })
}
