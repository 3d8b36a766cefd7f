with
    final as (
        select category_code, category_name, kind, parent_code, definition
        from {{ ref("categories") }}
    )

select category_code, category_name, kind, parent_code, definition
from final
order by category_code
