with final as (select affiliation_code, affiliation_name, definition from {{ ref("affiliations") }})

select affiliation_code, affiliation_name, definition
from final
order by affiliation_code
