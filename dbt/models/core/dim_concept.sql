with final as (select concept, concept_name, definition from {{ ref("concepts") }})

select concept, concept_name, definition
from final
order by concept
