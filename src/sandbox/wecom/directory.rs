//! The people of a simulated company, always the same.

/// A department. The tree has one root, number 1.
pub(super) struct Department {
    /// Its number.
    pub(super) id: i64,
    /// Its name.
    pub(super) name: &'static str,
    /// The one above it; 0 for the root.
    pub(super) parent_id: i64,
}

/// A member.
pub(super) struct Member {
    /// Names the member in calls; letter case does not matter.
    pub(super) userid: &'static str,
    /// Shown to people.
    pub(super) name: &'static str,
    /// Where the member works.
    pub(super) department: i64,
}

/// All departments, parents first.
pub(super) const DEPARTMENTS: &[Department] = &[
    Department { id: 1, name: "沙箱公司", parent_id: 0 },
    Department { id: 2, name: "研发部", parent_id: 1 },
    Department { id: 3, name: "客服部", parent_id: 1 },
];

/// All members.
pub(super) const MEMBERS: &[Member] = &[
    Member { userid: "ZhangSan", name: "张三", department: 2 },
    Member { userid: "LiSi", name: "李四", department: 2 },
    Member { userid: "WangWu", name: "王五", department: 3 },
];

/// The numbers of the tags that there are.
pub(super) const TAGS: &[i64] = &[1];

/// The member called so.
pub(super) fn member(userid: &str) -> Option<&'static Member> {
    MEMBERS.iter().find(|member| member.userid.eq_ignore_ascii_case(userid))
}

/// Whether there is a department of that number.
pub(super) fn is_department(id: i64) -> bool {
    DEPARTMENTS.iter().any(|department| department.id == id)
}

/// Whether department `id` is `top` or below it.
pub(super) fn is_within(id: i64, top: i64) -> bool {
    if id == top {
        return true;
    }
    let parent = DEPARTMENTS.iter().find(|department| department.id == id);
    parent.is_some_and(|department| is_within(department.parent_id, top))
}
