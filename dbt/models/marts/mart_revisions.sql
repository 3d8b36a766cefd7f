-- How a number changed from one release that states it to the next, and the numbers that the next
-- release no longer states. Only sources whose releases restate the series: a later text with
-- another number is another statement, not a revision. Nor is a change in the composition of an
-- aggregate: where its members differ, the row says so, and how their own figures changed.
{{
    config(
        materialized="incremental",
        meta={"partition_by": ["source", "release_date"], "later_too": true},
    )
}}
{%- set series = ["source"] + key_columns() + ["flow", "currency"] %}
{%- set window = ["source", "concept", "frequency", "flow", "currency"] %}
{%- set revision = series + ["release_date"] %}
{%- set revised = revision + [
    "previous_release_date",
    "previous_reporter_code",
    "previous_partner_code",
    "value",
    "previous_value",
    "revision_kind",
] %}
{%- set neighbours = revision + [
    "value",
    "rounding",
    "next_release",
    "previous_release_date",
    "previous_value",
    "previous_rounding",
] %}
{%- set pair = [
    "source",
    "release_date",
    "previous_release_date",
    "aggregate_code",
    "previous_aggregate_code",
] %}
with
    -- A source with one release has nothing to compare, however many rows it has.
    restated_sources as (
        select observations.source
        from
            {{ in_changed_partitions(ref("fct_royalty_observations"), {"source": "source"}) }}
            as observations
        inner join {{ ref("dim_source") }} as sources on observations.source = sources.source
        where sources.releases_are = 'complete'
        group by observations.source
        having min(observations.release_date) < max(observations.release_date)
    ),

    -- Read again by each of the following steps: as tables of millions of rows, these would not fit
    -- into memory.
    observations as not materialized(
        select
            {{ column_list(series, "stated") }},
            stated.release_date,
            stated.value,
            stated.rounding,
            stated.conf_status
        from
            {{ in_changed_partitions(ref("fct_royalty_observations"), {"source": "source"}) }}
            as stated
        inner join restated_sources on stated.source = restated_sources.source
        where stated.statement_number = 1
    ),

    statements as not materialized(
        select {{ column_list(series) }}, release_date, value, rounding
        from observations
        where value is not null
    ),

    withheld as (
        select {{ column_list(series) }}, release_date
        from observations
        where value is null and conf_status = 'C'
    ),

    releases as (
        select
            source,
            release_date,
            lead(release_date) over (partition by source order by release_date) as next_release
        from (select distinct source, release_date from observations) as released
    ),

    with_neighbours as (
        select
            {{ column_list(series, "statements") }},
            statements.release_date,
            statements.value,
            statements.rounding,
            releases.next_release,
            lag(statements.release_date) over by_release as previous_release_date,
            lag(statements.value) over by_release as previous_value,
            lag(statements.rounding) over by_release as previous_rounding,
            lead(statements.release_date) over by_release as next_statement
        from statements
        inner join
            releases
            on statements.source = releases.source
            and statements.release_date = releases.release_date
        window
            by_release as (
                partition by {{ column_list(series, "statements") }}
                order by statements.release_date
            )
    ),

    -- The next release may no longer state the number: `is_dropped`.
    with_drops as (
        select
            {{ column_list(neighbours) }},
            next_release is not null and coalesce(next_statement > next_release, true) as is_dropped
        from with_neighbours
    ),

    -- If only releases are replaced: theirs, and those of the release before, which they may drop.
    compared_or_dropped as materialized(
        select {{ column_list(neighbours) }}, is_dropped
        from with_drops
        where
            (previous_release_date is not null or is_dropped)
            {%- if changed_partitions() %}
                and (
                    next_release is null
                    or
                    {{ is_changed_partition({"source": "source", "release_date": "next_release"}) }}
                )
            {%- endif %}
    ),

    -- A code of the source that means another economy from a release on: the European Union of 28
    -- members, then of 27.
    redefined_economies as (
        select
            releases.source,
            releases.release_date as previous_release_date,
            releases.next_release as release_date,
            earlier.economy_code as previous_code,
            later.economy_code
        from releases
        inner join
            {{ ref("economy_code_map") }} as earlier
            on releases.source = earlier.source
            and {{ map_holds("earlier", "releases.release_date") }}
        inner join
            {{ ref("economy_code_map") }} as later
            on earlier.source = later.source
            and earlier.source_code = later.source_code
            and earlier.economy_code <> later.economy_code
            and {{ map_holds("later", "releases.next_release") }}
    ),

    -- The statements about them on either side, set apart before they are joined: DuckDB would join
    -- all later with all earlier statements first.
    {%- for role in ["reporter", "partner"] %}
        {{ role }}s_redefined as materialized(
            select
                redefined.previous_release_date,
                redefined.previous_code,
                {{ column_list(revision + ["value", "rounding"], "later") }}
            from redefined_economies as redefined
            inner join
                statements as later
                on {{ equal_on("redefined", "later", ["source", "release_date"]) }}
                and redefined.economy_code = later.{{ role }}_code
        ),

        {{ role }}s_before as materialized(
            select
                redefined.release_date as next_release,
                {{ column_list(revision + ["value", "rounding"], "earlier") }}
            from redefined_economies as redefined
            inner join
                statements as earlier
                on redefined.source = earlier.source
                and redefined.previous_release_date = earlier.release_date
                and redefined.previous_code = earlier.{{ role }}_code
        ),
    {%- endfor %}

    compared as (
        select
            {{ column_list(revision) }},
            previous_release_date,
            reporter_code as previous_reporter_code,
            partner_code as previous_partner_code,
            value,
            rounding,
            previous_value,
            previous_rounding
        from compared_or_dropped
        where previous_release_date is not null
        {%- for role in ["reporter", "partner"] %}
            union all
            select
                {{ column_list(revision, "later") }},
                later.previous_release_date,
                earlier.reporter_code as previous_reporter_code,
                earlier.partner_code as previous_partner_code,
                later.value,
                later.rounding,
                earlier.value as previous_value,
                earlier.rounding as previous_rounding
            from {{ role }}s_redefined as later
            inner join
                {{ role }}s_before as earlier
                on {{
                    equal_on(
                        "later", "earlier", series | reject("equalto", role ~ "_code") | list
                    )
                }}
                and later.release_date = earlier.next_release
                and later.previous_release_date = earlier.release_date
                and later.previous_code = earlier.{{ role }}_code
        {%- endfor %}
    ),

    aggregates as (
        select reporter_code as economy_code from {{ ref("dim_reporter") }} where kind = 'aggregate'
    ),

    -- The world as a partner is the total, not a group of partners.
    with_aggregates as (
        select
            {{
                column_list(
                    revision
                    + [
                        "previous_release_date",
                        "previous_reporter_code",
                        "previous_partner_code",
                    ],
                    "compared",
                )
            }},
            compared.value,
            compared.previous_value,
            {{
                within_rounding(
                    "compared.value",
                    "compared.rounding",
                    "compared.previous_value",
                    "compared.previous_rounding",
                )
            }} as is_unchanged,
            reporters.economy_code is not null or partners.economy_code is not null as is_aggregate,
            -- One aggregate with another: no list says which figures of members are parts of it.
            case
                when reporters.economy_code is null
                then partners.economy_code
                when partners.economy_code is null
                then reporters.economy_code
            end as aggregate_code,
            case
                when reporters.economy_code is null
                then compared.previous_partner_code
                else compared.previous_reporter_code
            end as previous_aggregate_code,
            reporters.economy_code is not null as is_reporter
        from compared
        left join aggregates as reporters on compared.reporter_code = reporters.economy_code
        left join
            aggregates as partners
            on compared.partner_code = partners.economy_code
            and partners.economy_code <> 'WLD'
    ),

    pairs as (
        select {{ column_list(pair) }}
        from with_aggregates
        where aggregate_code is not null
        group by {{ column_list(pair) }}
    ),

    memberships as (
        select source, release_date, aggregate_code, count(*) as members
        from {{ ref("dim_aggregate_member") }}
        group by source, release_date, aggregate_code
    ),

    common_members as (
        select {{ column_list(pair, "pairs") }}, later.member_code
        from pairs
        inner join
            {{ ref("dim_aggregate_member") }} as later
            on {{ equal_on("pairs", "later", ["source", "release_date", "aggregate_code"]) }}
        inner join
            {{ ref("dim_aggregate_member") }} as earlier
            on {{ equal_on("later", "earlier", ["source", "member_code"]) }}
            and pairs.previous_release_date = earlier.release_date
            and pairs.previous_aggregate_code = earlier.aggregate_code
    ),

    compositions as (
        select
            {{ column_list(pair, "pairs") }},
            count(common_members.member_code) = count(*)
            and count(*) = min(earlier.members) as has_same_members
        from pairs
        inner join
            {{ ref("dim_aggregate_member") }} as later
            on {{ equal_on("pairs", "later", ["source", "release_date", "aggregate_code"]) }}
        inner join
            memberships as earlier
            on pairs.source = earlier.source
            and pairs.previous_release_date = earlier.release_date
            and pairs.previous_aggregate_code = earlier.aggregate_code
        left join
            common_members
            on {{ equal_on("pairs", "common_members", pair) }}
            and later.member_code = common_members.member_code
        group by {{ column_list(pair, "pairs") }}
    ),

    -- The series of each member that is in the aggregate in both releases.
    series_of_members as (
        select
            {{ column_list(revision, "revisions") }},
            revisions.previous_release_date,
            case
                when revisions.is_reporter then members.member_code else revisions.reporter_code
            end as member_reporter_code,
            case
                when revisions.is_reporter then revisions.partner_code else members.member_code
            end as member_partner_code
        from with_aggregates as revisions
        inner join common_members as members on {{ equal_on("revisions", "members", pair) }}
    ),

    changes_of_members as (
        select
            {{ column_list(revision, "members") }},
            max(
                case when 'C' in (later.conf_status, earlier.conf_status) then 1 else 0 end
            ) as withheld,
            sum(later.value) as members_value,
            sum(earlier.value) as previous_members_value,
            sum(case when earlier.value is not null then later.value end) as reporters_value,
            sum(
                case when later.value is not null then earlier.value end
            ) as previous_reporters_value
        from series_of_members as members
        {%- for release, date in {
                "later": "release_date",
                "earlier": "previous_release_date",
            }.items() %}
            left join
                observations as {{ release }}
                on {{
                    equal_on(
                        "members",
                        release,
                        series | reject("in", ["reporter_code", "partner_code"]),
                    )
                }}
                and members.member_reporter_code = {{ release }}.reporter_code
                and members.member_partner_code = {{ release }}.partner_code
                and members.{{ date }} = {{ release }}.release_date
        {%- endfor %}
        group by {{ column_list(revision, "members") }}
    ),

    -- Where a code came to mean another economy and the members are not known, nothing is compared.
    restated as (
        select
            {{ column_list(revised | reject("equalto", "revision_kind") | list, "revisions") }},
            case
                when not coalesce(compositions.has_same_members, true)
                then 'composition'
                when revisions.is_unchanged
                then 'unchanged'
                else 'changed'
            end as revision_kind,
            case
                when revisions.is_aggregate then compositions.has_same_members else true
            end as has_same_members
        from with_aggregates as revisions
        left join compositions on {{ equal_on("revisions", "compositions", pair) }}
        where
            compositions.source is not null
            or (
                revisions.reporter_code = revisions.previous_reporter_code
                and revisions.partner_code = revisions.previous_partner_code
            )
    ),

    -- First period of a release. A window that moves on has not dropped the periods before it; one
    -- that ends earlier has.
    windows as (
        select {{ column_list(window) }}, release_date, min(period) as first_period
        from statements
        group by {{ column_list(window) }}, release_date
    ),

    -- Economies that a code of the source no longer means from a release on: a union replaced by
    -- another is not a dropped figure.
    replaced_economies as (
        select releases.source, releases.next_release, ended.economy_code
        from releases
        inner join
            {{ ref("economy_code_map") }} as ended
            on releases.source = ended.source
            and {{ map_holds("ended", "releases.release_date") }}
            and not ({{ map_holds("ended", "releases.next_release") }})
        left join
            {{ ref("economy_code_map") }} as holding
            on releases.source = holding.source
            and ended.economy_code = holding.economy_code
            and {{ map_holds("holding", "releases.next_release") }}
        where holding.economy_code is null
    ),

    dropped as (
        select
            {{ column_list(series, "statements") }},
            statements.next_release as release_date,
            statements.release_date as previous_release_date,
            statements.reporter_code as previous_reporter_code,
            statements.partner_code as previous_partner_code,
            cast(null as decimal(18, 6)) as value,
            statements.value as previous_value,
            case when withheld.source is null then 'dropped' else 'withheld' end as revision_kind
        from compared_or_dropped as statements
        inner join
            windows
            on {{ equal_on("statements", "windows", window) }}
            and statements.next_release = windows.release_date
        left join
            withheld
            on {{ equal_on("statements", "withheld", series) }}
            and statements.next_release = withheld.release_date
        left join
            replaced_economies as reporters
            on statements.source = reporters.source
            and statements.reporter_code = reporters.economy_code
            and statements.next_release = reporters.next_release
        left join
            replaced_economies as partners
            on statements.source = partners.source
            and statements.partner_code = partners.economy_code
            and statements.next_release = partners.next_release
        where
            statements.is_dropped
            and statements.period >= windows.first_period
            and reporters.economy_code is null
            and partners.economy_code is null
    ),

    revisions as (
        select {{ column_list(revised) }}, has_same_members
        from restated
        union all
        select {{ column_list(revised) }}, cast(null as boolean) as has_same_members
        from dropped
    ),

    final as (
        select
            {{ column_list(revised, "revisions") }},
            case
                when revisions.revision_kind <> 'composition'
                then revisions.value - revisions.previous_value
            end as change,
            case
                when revisions.revision_kind <> 'composition'
                then {{ change_pct("revisions.value", "revisions.previous_value") }}
            end as change_pct,
            revisions.has_same_members,
            -- With all its members, the aggregate's own change is that of its members. A sum from
            -- which members are withheld is none.
            case
                when revisions.revision_kind = 'composition' and changes.withheld = 0
                then {{ change_pct("changes.members_value", "changes.previous_members_value") }}
                when revisions.has_same_members and changes.source is not null
                then {{ change_pct("revisions.value", "revisions.previous_value") }}
            end as same_members_change_pct,
            {{ change_pct("changes.reporters_value", "changes.previous_reporters_value") }}
            as same_reporters_change_pct
        from revisions
        left join changes_of_members as changes on {{ equal_on("revisions", "changes", revision) }}
    )

select
    {{ column_list(key_columns()) }},
    flow,
    source,
    release_date,
    previous_release_date,
    previous_reporter_code,
    previous_partner_code,
    revision_kind,
    currency,
    value,
    previous_value,
    change,
    change_pct,
    has_same_members,
    same_members_change_pct,
    same_reporters_change_pct
from {{ in_changed_partitions("final") }}
order by
    reporter_code,
    period,
    source,
    release_date,
    partner_code,
    sector_code,
    category_code,
    affiliation_code,
    region_code,
    concept,
    flow,
    currency
