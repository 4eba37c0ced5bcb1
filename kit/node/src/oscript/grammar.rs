/// The rules of the language. `main` is a formula, `statements` one that gives no value.
pub(super) const OSCRIPT: &str = r##"
main = statements expr? ;
statements = statement* ;
statement = assignment ";" | branch | call ";" | bouncing ";" | "return" expr? ";"
    | "require" "(" expr "," expr ")" ";" | "log" "(" list ")" ";"
    | "delete" "(" local selector* "," expr ")" ";" | "freeze" "(" local ")" ";"
    | "foreach" "(" expr "," limit "," callback ")" ";" ;
assignment = local ( %dotSelector | "[" expr? "]" )* "=" ( expr | function )
    | "var" "[" expr "]" ( "=" | %assignment_with_op ) expr
    | "response" "[" expr "]" "=" expr ;
branch = "if" "(" expr ")" block ( "else" block )? ;
block = "{" statements "}" | statement ;
bouncing = "bounce" "(" expr ")" ;

expr = expr ( "otherwise" | "OTHERWISE" ) choice | choice ;
choice = either "?" expr ":" choice | either ;
either = either ( "or" | "OR" ) both | both ;
both = both ( "and" | "AND" ) comparison | comparison ;
comparison = sum ( "==" | "!=" | ">" | ">=" | "<" | "<=" ) sum | sum ;
sum = sum ( "+" | "-" | "||" ) product | ( "+" | "-" ) product | product ;
product = product ( "*" | "/" | "%" ) unary | unary ;
unary = ( "!" | "not" | "NOT" ) unary | power ;
power = primary "^" power | primary ;
primary = "(" expr ")" | %string | %number | "true" | "false" | array | dictionary | selected | source
    | "pi" | "e" | builtin | bouncing | lookup | %trigger_address | %trigger_initial_address | %trigger_unit
    | %trigger_initial_unit | "storage_size" | "mci" | "timestamp" | "mc_unit" | "number_of_responses"
    | "this_address" | "response_unit" ;

list = expr? ( "," expr )* ;
array = "[" list ","? "]" ;
dictionary = "{" pair? ( "," pair )* ","? "}" ;
pair = ( %string | %IDEN | %keyword | %addressValue ) ":" expr ;

local = %local_var_name | "${" expr "}" ;
function = ( "(" names ")" | names ) "=>" ( expr | "{" main "}" ) ;
names = %local_var_name? ( "," %local_var_name )* ;
call = ( %local_var_name | remote ) "(" list ")" ;
remote = ( %addressValue | local | primary "#" ( %number | %addressValue | local ) ) "." %local_var_name ;
callback = function | local | remote ;
limit = %number | local ;

source = local | call | %trigger_outputs | %trigger_data | "params" | "previous_aa_responses"
    | ( "unit" | "definition" ) "[" expr "]" ;
selected = source ( selector | search )+ ;
selector = %dotSelector | "[" expr "]" ;
search = "[" "[" condition ( "," condition )* "]" "]" ;
condition = %dotSelector+ %comparisonOperators ( expr | "none" ) ;

builtin = one "(" expr ")" | two "(" expr "," expr ")" | three "(" expr "," expr "," expr ")"
    | one_or_two "(" expr ( "," expr )? ")" | two_or_three "(" expr "," expr ( "," expr )? ")"
    | any "(" list ")" | ( "map" | "filter" ) "(" expr "," limit "," callback ")"
    | "reduce" "(" expr "," limit "," callback "," expr ")" ;
one = "sqrt" | "ln" | "abs" | "chash160" | "json_parse" | "json_stringify" | "typeof" | "length"
    | "to_upper" | "to_lower" | "exists" | "is_valid_address" | "is_aa" | "is_integer" | "is_valid_amount"
    | "is_array" | "is_assoc" | "array_length" | "keys" | "parse_date" | "reverse" ;
two = "is_valid_signed_package" | "is_valid_merkle_proof" | "starts_with" | "ends_with" | "contains"
    | "has_only" | "index_of" | "join" ;
three = "is_valid_sig" | "vrf_verify" | "replace" ;
one_or_two = "ceil" | "floor" | "round" | "sha256" | "timestamp_to_string" ;
two_or_three = "substring" | "split" ;
any = "min" | "max" | "hypot" | "number_from_seed" ;

lookup = ( "data_feed" | "in_data_feed" ) "[" "[" feed_term ( "," feed_term )* "]" "]"
    | ( "input" | "output" ) "[" "[" io_term ( "," io_term )* "]" "]" %dotSelector
    | "attestation" "[" "[" attestation_term ( "," attestation_term )* "]" "]" selector?
    | ( "var" | "balance" ) "[" ( expr | %addressValue | "base" ) "]" ( "[" ( expr | "base" ) "]" )?
    | "asset" "[" expr "]" selector
    | %trigger_output "[" "[" "asset" %comparisonOperators ( expr | "base" ) "]" "]" %dotSelector? ;
feed_term = ( "oracles" | "feed_name" | "min_mci" | "feed_value" | "what" | "ifseveral" | "ifnone" | "type" )
    %comparisonOperators ( expr | %addressValue ) ;
io_term = ( "address" | "amount" | "asset" ) %comparisonOperators ( expr | "base" | %addressValue ) ;
attestation_term = ( "attestors" | "address" | "ifseveral" | "ifnone" | "type" ) %comparisonOperators
    ( expr | %addressValue ) ;
"##;
