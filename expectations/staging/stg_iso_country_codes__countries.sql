-- name: codes_other_than_the_package
select codes.iso3, codes.iso2, codes.m49, iso.iso2 as packaged_iso2, iso.m49 as packaged_m49
from $batch as codes
join staging.stg_iso_3166__countries as iso on codes.iso3 = iso.iso3
where codes.iso2 <> iso.iso2 or codes.m49 <> iso.m49
;
