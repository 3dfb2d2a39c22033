//! Zones of an organization, as its admin sets them.

use super::organizations::House;
use super::users::HERE;
use super::world::World;
use crate::{Entrance, Error, MemberRole, Zones};

fn code<T>(answer: Result<T, Error>) -> &'static str {
    answer.map_or_else(|error| error.code(), |_| "done")
}

fn zones(api: &[&str]) -> Zones {
    Zones { api: api.iter().map(|range| range.parse().unwrap()).collect(), events: Vec::new() }
}

#[tokio::test]
async fn an_admin_sets_zones_and_shuts_nobody_out_by_mistake() {
    let world = World::new();
    let house = world.house().await;
    let user = house.join("ada@acme.example", MemberRole::User).await;
    let House { organizations, operator, acme, admin } = &house;
    assert_eq!(organizations.zones(acme).await.unwrap(), Zones::default());
    let set = async |by: &str, zones: &Zones| code(organizations.set_zones(by, acme, zones, HERE).await);
    assert_eq!(set(&user, &zones(&["192.0.2.0/24"])).await, "CD1242");
    assert_eq!(set(operator, &zones(&["192.0.2.0/24"])).await, "CD1242");
    assert_eq!(set(admin, &zones(&["198.51.100.0/24"])).await, "CD1251");
    let many: Vec<String> = (0..201).map(|number| format!("10.0.{number}.0/24")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).chain(["192.0.2.0/24"]).collect();
    assert_eq!(set(admin, &zones(&many)).await, "CD1251");
    assert_eq!(organizations.zones(acme).await.unwrap(), Zones::default());
    assert_eq!(set(admin, &zones(&["192.0.2.0/24"])).await, "done");
    let kept = organizations.zones(acme).await.unwrap();
    assert!(kept.allow(Entrance::Api, HERE) && !kept.allow(Entrance::Api, "198.51.100.1".parse().unwrap()));
}
