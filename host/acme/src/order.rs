//! One order, from its names to a chain of certificates: each name is proved, and then the certificate is asked for.

use crate::challenge::Proofs;
use crate::error::Error;
use crate::problem::{plain, said, wrong};
use crate::shows::Shows;
use crate::wire::Wire;
use instant_acme::{
    Account, AuthorizationStatus, CertificateIdentifier, ChallengeType, Identifier, NewOrder, Order,
    OrderStatus, RetryPolicy,
};
use std::sync::Arc;
use std::time::Duration;
use zeroize::Zeroizing;

/// Somebody comes to look from several places, which takes seconds.
const LOOKS: RetryPolicy = RetryPolicy::new()
    .initial_delay(Duration::from_millis(250))
    .backoff(1.5)
    .timeout(Duration::from_secs(120));

/// What came of an order.
pub(crate) struct Issued {
    /// The chain, as PEM.
    pub(crate) chain: String,
    /// The key, as PEM.
    pub(crate) key: Zeroizing<String>,
}

/// A certificate for these names.
pub(crate) async fn issued(
    account: &Account,
    names: &[String],
    replaces: Option<CertificateIdentifier<'static>>,
    shows: &Arc<dyn Shows>,
    wire: &Wire,
) -> Result<Issued, Error> {
    let identifiers: Vec<Identifier> = names.iter().cloned().map(Identifier::Dns).collect();
    let mut order = ordered(account, &identifiers, replaces, wire).await?;
    if order.state().status == OrderStatus::Pending {
        let mut proofs = Proofs::new(Arc::clone(shows));
        let proved = prove(&mut order, &mut proofs, wire).await;
        if let Err(error) = proved {
            // What is wrong with a proof stands where it was asked for, and in the order it is a summary at best.
            return Err(unproven(&mut order).await.unwrap_or(error));
        }
    }
    let doing = "have the certificate made";
    let key = order.finalize().await.map(Zeroizing::new).map_err(|error| wrong(doing, error, wire))?;
    let chain = order.poll_certificate(&LOOKS).await.map_err(|error| wrong(doing, error, wire))?;
    Ok(Issued { chain, key })
}

/// Who is told which certificate an order replaces may count it less. That it was replaced before, or nobody there knows it, is no
/// reason to have none.
async fn ordered(
    account: &Account,
    identifiers: &[Identifier],
    replaces: Option<CertificateIdentifier<'static>>,
    wire: &Wire,
) -> Result<Order, Error> {
    if let Some(replaces) = replaces {
        match account.new_order(&NewOrder::new(identifiers).replaces(replaces)).await {
            Ok(order) => return Ok(order),
            Err(error) => tracing::debug!(%error, "an order in the place of another one is not taken"),
        }
    }
    let order = account.new_order(&NewOrder::new(identifiers)).await;
    order.map_err(|error| wrong("order a certificate", error, wire))
}

/// Shows all proofs, says that they are there, and waits until somebody has looked.
async fn prove(order: &mut Order, proofs: &mut Proofs, wire: &Wire) -> Result<(), Error> {
    let doing = "prove a name";
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization.map_err(|error| wrong(doing, error, wire))?;
        match authorization.status {
            // Of an earlier order, which the other side remembers.
            AuthorizationStatus::Valid => continue,
            AuthorizationStatus::Pending => {}
            other => {
                let said = format!("the proof of `{}` is {other:?}", authorization.identifier());
                let kind = "authorization".to_owned();
                return Err(Error::Refused { doing, kind, said: plain(&said) });
            }
        }
        let name = plain(&authorization.identifier().to_string());
        let Some(mut challenge) = authorization.challenge(ChallengeType::TlsAlpn01) else {
            return Err(Error::NoChallenge { name });
        };
        proofs.show(&name, &challenge.key_authorization())?;
        challenge.set_ready().await.map_err(|error| wrong(doing, error, wire))?;
    }
    match order.poll_ready(&LOOKS).await.map_err(|error| wrong(doing, error, wire))? {
        OrderStatus::Ready => Ok(()),
        other => {
            let said = format!("the order is {other:?}");
            Err(Error::Refused { doing, kind: "order".to_owned(), said })
        }
    }
}

/// What whoever came to look has to say of a proof, where there is something.
async fn unproven(order: &mut Order) -> Option<Error> {
    let mut authorizations = order.authorizations();
    while let Some(Ok(mut authorization)) = authorizations.next().await {
        if authorization.refresh().await.is_err() {
            continue;
        }
        let mut problems = authorization.challenges.iter().filter_map(|challenge| challenge.error.as_ref());
        if let Some(problem) = problems.next() {
            let name = plain(&authorization.identifier().to_string());
            return Some(Error::Unproven { name, said: said(problem) });
        }
    }
    None
}
