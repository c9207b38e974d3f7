//! Accounts as identity providers keep them: what each provider calls a record, who is in a group that a provider made,
//! and pages by number, which is how their protocol counts.

use crate::batches::batches;
use crate::error::StoreError;
use crate::records::{FIELDS, RecordRow, read};
use crate::tx::{Statement, Tx, built, list_of, rows_of, sql};
use std::collections::BTreeMap;

pub(crate) const TABLES: &str = "
-- What an identity provider calls a record; each provider has names of its own.
CREATE TABLE directory_ids (
    tenant TEXT NOT NULL, client TEXT NOT NULL, entity TEXT NOT NULL, id TEXT NOT NULL, external_id TEXT NOT NULL,
    PRIMARY KEY (tenant, client, entity, id));
CREATE INDEX directory_ids_external ON directory_ids (tenant, client, entity, external_id);
-- Who is in a group that an identity provider made.
CREATE TABLE directory_members (
    tenant TEXT NOT NULL, group_id TEXT NOT NULL, member_id TEXT NOT NULL,
    PRIMARY KEY (tenant, group_id, member_id));
CREATE INDEX directory_members_member ON directory_members (tenant, member_id);
";

/// Values that are asked for at once.
const MANY: usize = 100;

/// What `LIKE` compares with lower-case text: anything stands for letters beyond ASCII.
fn pattern(value: &str) -> String {
    let mut pattern = String::with_capacity(value.len());
    for letter in value.chars() {
        match letter {
            '%' | '_' | '!' => pattern.extend(['!', letter]),
            _ if letter.is_ascii() => pattern.push(letter.to_ascii_lowercase()),
            _ if pattern.ends_with('%') && !pattern.ends_with("!%") => {}
            _ => pattern.push('%'),
        }
    }
    pattern
}

/// How the members of a group change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemberChange {
    /// Ids of who comes in.
    pub new: Vec<String>,
    /// Ids of who goes.
    pub gone: Vec<String>,
}

impl Tx {
    /// Records of an entity that are there, from the one with this number on (0 is the first), in the order of ids.
    ///
    /// # Errors
    /// The store fails.
    pub async fn records_from(
        &mut self,
        tenant: &str,
        entity: &str,
        first: i64,
        limit: i64,
    ) -> Result<Vec<RecordRow>, StoreError> {
        let statement = built(format!(
            "SELECT {FIELDS} FROM records WHERE tenant = $1 AND entity = $2 AND deleted_at IS NULL
             ORDER BY id LIMIT $3 OFFSET $4"
        ))
        .bind(tenant.to_owned())
        .bind(entity.to_owned())
        .bind(limit)
        .bind(first);
        self.all(statement, read).await
    }

    /// Records of an entity that are there and have a value in one of the fields: in this case and in lower case. With
    /// `in_any_case` also those where it may be written with other capitals, which looks at all values of the fields;
    /// the caller compares the letters beyond ASCII, which databases do not do alike.
    ///
    /// # Errors
    /// The store fails.
    pub async fn records_called(
        &mut self,
        tenant: &str,
        entity: &str,
        fields: &[&'static str],
        value: &str,
        in_any_case: bool,
    ) -> Result<Vec<RecordRow>, StoreError> {
        let (condition, forms) = match in_any_case {
            true => ("LOWER(value) LIKE $3 ESCAPE '!'", vec![pattern(value)]),
            false => ("value IN ($3, $4)", vec![value.to_owned(), value.to_lowercase()]),
        };
        let statement = built(format!(
            "SELECT {FIELDS} FROM records WHERE tenant = $1 AND entity = $2 AND deleted_at IS NULL AND id IN (
                 SELECT id FROM record_index
                 WHERE tenant = $1 AND entity = $2 AND {condition} AND field IN ({}))
             ORDER BY id",
            list_of(3 + forms.len(), fields.len())
        ))
        .bind(tenant.to_owned())
        .bind(entity.to_owned());
        let statement = forms.into_iter().fold(statement, Statement::bind);
        let statement = fields.iter().fold(statement, |statement, field| statement.bind((*field).to_owned()));
        self.all(statement, read).await
    }

    /// What a provider calls these records, by their ids.
    ///
    /// # Errors
    /// The store fails.
    pub async fn directory_ids(
        &mut self,
        tenant: &str,
        client: &str,
        entity: &str,
        ids: Vec<String>,
    ) -> Result<BTreeMap<String, String>, StoreError> {
        let mut found = BTreeMap::new();
        for ids in ids.chunks(MANY) {
            let statement = built(format!(
                "SELECT id, external_id FROM directory_ids WHERE tenant = $1 AND client = $2 AND entity = $3
                     AND id IN ({})",
                list_of(4, ids.len())
            ))
            .bind(tenant.to_owned())
            .bind(client.to_owned())
            .bind(entity.to_owned());
            let statement = ids.iter().fold(statement, |statement, id| statement.bind(id.clone()));
            found.extend(self.all(statement, |row| Ok((row.try_get("id")?, row.try_get("external_id")?))).await?);
        }
        Ok(found)
    }

    /// The ids of the records that a provider calls so.
    ///
    /// # Errors
    /// The store fails.
    pub async fn directory_called(
        &mut self,
        tenant: &str,
        client: &str,
        entity: &str,
        external_id: &str,
    ) -> Result<Vec<String>, StoreError> {
        let statement = sql("SELECT id FROM directory_ids
             WHERE tenant = $1 AND client = $2 AND entity = $3 AND external_id = $4 ORDER BY id")
        .bind(tenant.to_owned())
        .bind(client.to_owned())
        .bind(entity.to_owned())
        .bind(external_id.to_owned());
        self.all(statement, |row| row.try_get("id")).await
    }

    /// Says what a provider calls a record from now on; `None` when it has no name for it.
    ///
    /// # Errors
    /// The store fails.
    pub async fn put_directory_id(
        &mut self,
        tenant: &str,
        client: &str,
        (entity, id): (&str, &str),
        external_id: Option<String>,
    ) -> Result<(), StoreError> {
        let statement = match external_id {
            Some(external_id) => sql("INSERT INTO directory_ids (tenant, client, entity, id, external_id)
                 VALUES ($1, $2, $3, $4, $5)
                 ON CONFLICT (tenant, client, entity, id) DO UPDATE SET external_id = excluded.external_id")
            .bind(tenant.to_owned())
            .bind(client.to_owned())
            .bind(entity.to_owned())
            .bind(id.to_owned())
            .bind(external_id),
            None => sql("DELETE FROM directory_ids WHERE tenant = $1 AND client = $2 AND entity = $3 AND id = $4")
                .bind(tenant.to_owned())
                .bind(client.to_owned())
                .bind(entity.to_owned())
                .bind(id.to_owned()),
        };
        self.run(statement).await.map(drop)
    }

    /// Who is in these groups: group and member, in order.
    ///
    /// # Errors
    /// The store fails.
    pub async fn directory_members(
        &mut self,
        tenant: &str,
        groups: Vec<String>,
    ) -> Result<Vec<(String, String)>, StoreError> {
        let mut found = Vec::new();
        for groups in groups.chunks(MANY) {
            let statement = built(format!(
                "SELECT group_id, member_id FROM directory_members WHERE tenant = $1 AND group_id IN ({})
                 ORDER BY group_id, member_id",
                list_of(2, groups.len())
            ))
            .bind(tenant.to_owned());
            let statement = groups.iter().fold(statement, |statement, id| statement.bind(id.clone()));
            found.extend(self.all(statement, |row| Ok((row.try_get("group_id")?, row.try_get("member_id")?))).await?);
        }
        Ok(found)
    }

    /// In which groups these members are: group and member, in order.
    ///
    /// # Errors
    /// The store fails.
    pub async fn directory_groups(
        &mut self,
        tenant: &str,
        members: Vec<String>,
    ) -> Result<Vec<(String, String)>, StoreError> {
        let mut found = Vec::new();
        for members in members.chunks(MANY) {
            let statement = built(format!(
                "SELECT group_id, member_id FROM directory_members WHERE tenant = $1 AND member_id IN ({})
                 ORDER BY group_id, member_id",
                list_of(2, members.len())
            ))
            .bind(tenant.to_owned());
            let statement = members.iter().fold(statement, |statement, id| statement.bind(id.clone()));
            found.extend(self.all(statement, |row| Ok((row.try_get("group_id")?, row.try_get("member_id")?))).await?);
        }
        Ok(found)
    }

    /// Puts somebody into a group and takes somebody out of it; whoever is not named stays what they are, so that two
    /// changes at the same time are both done.
    ///
    /// # Errors
    /// The store fails.
    pub async fn change_directory_members(
        &mut self,
        tenant: &str,
        group: &str,
        change: MemberChange,
    ) -> Result<(), StoreError> {
        for gone in batches(change.gone) {
            let statement = built(format!(
                "DELETE FROM directory_members WHERE tenant = $1 AND group_id = $2 AND member_id IN ({})",
                list_of(3, gone.len())
            ))
            .bind(tenant.to_owned())
            .bind(group.to_owned());
            self.run(gone.into_iter().fold(statement, Statement::bind)).await?;
        }
        for new in batches(change.new) {
            let mut statement = built(format!(
                "INSERT INTO directory_members (tenant, group_id, member_id) VALUES {} ON CONFLICT DO NOTHING",
                rows_of(3, new.len())
            ));
            for member in new {
                statement = statement.bind(tenant.to_owned()).bind(group.to_owned()).bind(member);
            }
            self.run(statement).await?;
        }
        Ok(())
    }

    /// Takes everybody out of a group.
    ///
    /// # Errors
    /// The store fails.
    pub async fn empty_directory_group(&mut self, tenant: &str, group: &str) -> Result<(), StoreError> {
        let statement = sql("DELETE FROM directory_members WHERE tenant = $1 AND group_id = $2")
            .bind(tenant.to_owned())
            .bind(group.to_owned());
        self.run(statement).await.map(drop)
    }

    /// Takes somebody out of all groups.
    ///
    /// # Errors
    /// The store fails.
    pub async fn leave_directory_groups(&mut self, tenant: &str, member: &str) -> Result<(), StoreError> {
        let statement = sql("DELETE FROM directory_members WHERE tenant = $1 AND member_id = $2")
            .bind(tenant.to_owned())
            .bind(member.to_owned());
        self.run(statement).await.map(drop)
    }
}
